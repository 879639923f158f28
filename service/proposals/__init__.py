"""Proposals: mixtures put forward by a fit, in the background."""
