"""What an import refuses with."""

from mixlaws.errors import InvalidInputError


class ImportRefusedError(InvalidInputError):
    """Files that cannot be read as proxy runs; the message names the place and the remedy."""


class UnknownFormatError(ImportRefusedError):
    """A file or folder in which no format is recognised, or more than one."""
