"""The mark of a fit that came with a file: it is kept to be read, and never computed with.

What a fit found is a document that its method's own code reads back, some of it native code that trusts its
input. A file may come from anybody.
"""

from service.errors import ConflictError
from service.models import Fit

_PREFIX = "imported:"


def marked(data_digest: str) -> str:
    """The digest of the data of a fit that came with a file: no data of this installation has it."""
    return _PREFIX + data_digest


def original(data_digest: str) -> str:
    """The digest as the installation that made the fit knew it."""
    return data_digest.removeprefix(_PREFIX)


def is_imported(fit: Fit) -> bool:
    """Whether a fit came with a file."""
    return fit.data_digest.startswith(_PREFIX)


def check_own(fit: Fit) -> None:
    """Check that a fit was computed here.

    Raises:
        ConflictError: it came with a file.
    """
    if is_imported(fit):
        raise ConflictError(
            f"fit {fit.id} came with the file of a study: it is kept to be read. Ask for the same fit here, "
            "and use that",
            code="fit_imported",
        )
