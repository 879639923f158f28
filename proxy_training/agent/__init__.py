"""Training of the data mixing agent on simulated runs."""
