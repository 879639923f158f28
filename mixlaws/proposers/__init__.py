"""Rules that turn a predictor into mixtures to run."""
