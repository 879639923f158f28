"""Scaling laws: how losses move with training tokens and model size, and which mixture holds at a scale."""
