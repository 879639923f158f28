"""The method that tries the others: a ladder of members, scored on runs not seen, and stacked."""
