"""The whole story on real text: sweep, fits, proposals, and a live job that follows its schedule."""
