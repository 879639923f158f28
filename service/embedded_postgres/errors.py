"""What can go wrong with the embedded server, named by what the caller should do about it.

EmbeddedPostgresError
├── UnsupportedPlatformError   use a PostgreSQL server of your own
├── BinariesError              install the wheel with the binaries again
├── AccountError               run as an ordinary user, or create the account
├── FolderError                choose another folder, or repair what the message names
├── OtherVersionError          move the data to this version, or install the other one
├── InitialisationError        remove the cause that initdb names, and start again
├── ServerStartError           correct what the quoted lines of the server's log say
└── ServerElsewhereError       stop the server on the machine or container where it runs
"""

from pathlib import Path

OWN_SERVER = "set MIXWRIGHT_DATABASE_URL to a PostgreSQL server of your own"


class EmbeddedPostgresError(Exception):
    """Root of every error that this package raises on purpose."""


class UnsupportedPlatformError(EmbeddedPostgresError):
    """The embedded server does not run on this operating system."""


class BinariesError(EmbeddedPostgresError):
    """PostgreSQL's programs are missing, of another version, or do not run."""


class AccountError(EmbeddedPostgresError):
    """Root found no account without privileges that can run the server."""


class FolderError(EmbeddedPostgresError):
    """The database's folder cannot be created, read or written, or belongs to somebody else."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(
            f"cannot keep the database in {folder}: {reason}; choose another data folder, or {OWN_SERVER}"
        )
        self.folder = folder


class OtherVersionError(EmbeddedPostgresError):
    """The data were written by another major version of PostgreSQL, and were left as they are."""

    def __init__(self, data: Path, *, found: str, expected: int) -> None:
        super().__init__(
            f"the database in {data} was written by PostgreSQL {found}, and this Mixwright runs PostgreSQL "
            f"{expected}, which cannot read it; nothing was changed. Dump it with PostgreSQL {found} "
            f"(pg_dumpall), move the folder away and load the dump into a new database; "
            f"or install the Mixwright that wrote it; or {OWN_SERVER}"
        )
        self.found = found
        self.expected = expected


class InitialisationError(EmbeddedPostgresError):
    """The database could not be created; nothing half-made is left."""


class ServerStartError(EmbeddedPostgresError):
    """The server ended while it started, or refuses the connections it should accept."""


class ServerElsewhereError(EmbeddedPostgresError):
    """Processes that this one cannot see hold the database: another container, or another machine."""
