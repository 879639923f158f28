"""Exporters: what is stored as files of one format each, by pure functions."""
