"""Rules that choose the mixtures of a sweep."""
