"""Imports: finished runs that were trained elsewhere, stored once under their names."""
