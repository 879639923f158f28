"""Online methods on real text, each with the same FLOPs."""
