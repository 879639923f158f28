"""The audit trail of a project."""
