"""Background work: fits, proposals, expensive steps; watched, cancelled, tried again, taken over."""
