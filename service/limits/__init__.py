"""What one caller may ask of the service: bodies, documents, rates, quotas. A concept a file."""
