"""`mixwright job`: live jobs from the command line."""
