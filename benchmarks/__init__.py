"""Measurements of speed and of held-out quality; see README.md beside this file."""
