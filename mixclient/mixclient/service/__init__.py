"""The whole API of the service: `ServiceClient` blocks, `AsyncServiceClient` is awaited.

Every operation is written once, as a function that says what to send (`operation.py`). A connection carries
it out, at once or awaited.
"""
