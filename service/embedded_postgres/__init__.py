"""A PostgreSQL server of one's own, for who has none: from the binaries of a wheel, in a folder.

    with EmbeddedPostgres(default_folder(data_folder)) as server:
        psycopg.connect(server.url)

Everybody who names the same folder shares one server. It is reachable through a socket in a private
folder alone, with a password, and runs until its last user has left.
"""

from service.embedded_postgres.embedded import EmbeddedPostgres, RunningServer
from service.embedded_postgres.errors import (
    AccountError,
    BinariesError,
    EmbeddedPostgresError,
    FolderError,
    InitialisationError,
    OtherVersionError,
    ServerElsewhereError,
    ServerStartError,
    UnsupportedPlatformError,
)
from service.embedded_postgres.home import default_folder

__all__ = [
    "AccountError",
    "BinariesError",
    "EmbeddedPostgres",
    "EmbeddedPostgresError",
    "FolderError",
    "InitialisationError",
    "OtherVersionError",
    "RunningServer",
    "ServerElsewhereError",
    "ServerStartError",
    "UnsupportedPlatformError",
    "default_folder",
]
