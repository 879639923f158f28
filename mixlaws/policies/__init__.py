"""Rules that turn a trainer's feedback into stages of a schedule."""
