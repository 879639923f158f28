"""Keys that lie in files: the admin key of an installation, and those that a deployment chose itself."""

from collections.abc import Iterable
from pathlib import Path

from service.db import Database
from service.keys import repository
from service.keys.secrets import is_random, new_key, parse_key
from service.keys.service import DEFAULT_PROJECT, add_key, principal_of_key
from service.private_files import write_private


class KeyFileError(Exception):
    """A file holds no key that is good here, and cannot be given one."""


def ensure_key(
    database: Database, file: Path, *, name: str, scopes: Iterable[str], project: str = DEFAULT_PROJECT
) -> str:
    """The key that a file holds, known to this database from now on.

    A key that the database never saw becomes one of its own, so that a secret which is given to several
    processes opens all of them. A file that is missing, revoked or damaged gets a new key. Of processes that
    start together one makes the key; the others, if they share the file, find it.

    Raises:
        InvalidRequestError: a scope is unknown, or none is given.
        KeyFileError: the file needs a new key and cannot be written.
    """
    with database.session() as session:
        repository.wait_for_key_files(session)
        text = read_key(file)
        if principal_of_key(session, text) is not None:
            return text
        secret = parse_key(text)
        if secret is None or not is_random(secret) or repository.is_taken(session, secret.public_part):
            secret = new_key()
            # Before it is stored: whoever dies in between leaves a file that the next start takes over,
            # and no key that opens everything and that nobody has.
            write_key(file, secret.text)
        add_key(session, secret, project=project, name=name, scopes=scopes)
    return secret.text


def read_key(file: Path) -> str:
    """The text of a key file; empty if there is none.

    Raises:
        KeyFileError: it cannot be read.
    """
    try:
        return file.read_text(encoding="ascii", errors="replace").strip()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        raise KeyFileError(f"{file}: {error.strerror}: let this account read it") from None


def write_key(file: Path, text: str) -> None:
    """Put a key into a file, for its owner alone.

    Raises:
        KeyFileError: it cannot be written.
    """
    try:
        write_private(file, text + "\n")
    except OSError as error:
        raise KeyFileError(
            f"{file} holds no key that is good here, and none can be written there ({error.strerror}): put a "
            "key there, which reads mx_<12 hexadecimal digits>_<43 random letters, digits, - or _>"
        ) from None
