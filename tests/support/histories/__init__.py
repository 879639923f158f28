"""Histories of clients of a service that fails at random, and what must be true of every one of them."""
