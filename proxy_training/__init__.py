"""Trains many small language models on mixtures and measures what laws and policies need."""
