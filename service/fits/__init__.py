"""Fits: laws and regressors fitted to the finished runs of a study, in the background."""
