"""Proxy runs: claimed under a lease, kept alive by heartbeats, finished by a result or a failure."""
