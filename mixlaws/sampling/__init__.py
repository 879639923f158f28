"""Rules that choose a mixture without proxy runs: from token counts, or from statistics of the text."""
