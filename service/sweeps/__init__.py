"""Sweeps: requests for proxy runs."""
