"""The arithmetic of fits and proposals: JSON in, JSON out, in a child process that can be stopped."""
