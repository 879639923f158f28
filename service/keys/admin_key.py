"""The admin key of an installation: a file that only its owner reads."""

from pathlib import Path

from service.db import Database
from service.keys import repository
from service.keys.key_files import ensure_key, read_key, write_key
from service.keys.secrets import parse_key
from service.keys.service import principal_of_key
from service.scopes import EVERY_SCOPE


def ensure_admin_key(database: Database, file: Path) -> str:
    """The admin key, which has every scope that there is: see `ensure_key`."""
    text = ensure_key(database, file, name="admin", scopes=EVERY_SCOPE)
    with database.session() as session:
        known = principal_of_key(session, text)
        if known is not None and not known.scopes.issuperset(EVERY_SCOPE):  # made before there were as many
            repository.give_scopes(session, known.key_id, EVERY_SCOPE)
    return text


def renew_admin_key(file: Path, public_part: str, text: str) -> bool:
    """Write the key that replaces another, if the file holds that one; whether it did.

    Raises:
        KeyFileError: the file cannot be read or written.
    """
    held = parse_key(read_key(file))
    if held is None or held.public_part != public_part:
        return False
    write_key(file, text)
    return True
