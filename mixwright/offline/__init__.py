"""Fits and proposals without a service: runs from files, answers on the terminal."""
