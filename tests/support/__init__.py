"""What tests of several packages start: databases, servers, stories."""
