"""Studies: domains, targets, objective, constraints."""
