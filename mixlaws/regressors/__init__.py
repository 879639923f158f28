"""Non-parametric predictors."""
