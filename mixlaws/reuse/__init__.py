"""Reuse of a mixture when its domains change: only what a change touches is optimised again."""
