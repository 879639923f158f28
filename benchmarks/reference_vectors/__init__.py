"""Readers of reference vectors: inputs and outputs of published implementations, run through our policies."""
