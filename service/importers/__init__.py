"""Importers of proxy runs that were trained elsewhere: one format a file, pure functions of paths."""
