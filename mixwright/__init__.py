"""The command line: composes the other packages; nothing imports it."""
