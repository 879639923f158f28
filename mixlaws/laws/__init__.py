"""Parametric laws of the mixture, each with its published source."""
