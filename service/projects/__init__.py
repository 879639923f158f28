"""Projects: tenants, apart from each other."""
