"""The set of mixtures that a problem allows: bounds, groups of domains, distance from the prior."""
