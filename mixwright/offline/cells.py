"""Text in the cells of a CSV file, so that no spreadsheet runs it.

A cell that begins with one of these is a formula to a spreadsheet, and names come from other people's tables.
Source: OWASP, CSV injection.
"""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def inert(text: str) -> str:
    """Text as a cell: behind an apostrophe if a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
