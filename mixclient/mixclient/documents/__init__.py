"""Documents that the API takes and gives, by what they are about; made from its own document."""
