"""Domain sets: lists of domains under a name, which studies and jobs take over."""
