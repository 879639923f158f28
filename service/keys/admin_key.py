"""The admin key of an installation: a file that only its owner reads."""

import os
from pathlib import Path

from service.db import Database
from service.keys import repository
from service.keys.secrets import parse_key
from service.keys.service import create_key, principal_of_key
from service.scopes import EVERY_SCOPE


def ensure_admin_key(database: Database, file: Path) -> str:
    """The admin key, which has every scope that there is; the first start writes it."""
    text = _read(file)
    with database.session() as session:
        known = principal_of_key(session, text)
        if known is not None:
            if not known.scopes.issuperset(EVERY_SCOPE):  # made before there were as many
                repository.give_scopes(session, known.key_id, EVERY_SCOPE)
            return text
    with database.session() as session:
        _, secret = create_key(session, name="admin", scopes=EVERY_SCOPE)
    _write(file, secret.text)
    return secret.text


def renew_admin_key(file: Path, public_part: str, text: str) -> bool:
    """Write the key that replaces another, if the file holds that one; whether it did."""
    held = parse_key(_read(file))
    if held is None or held.public_part != public_part:
        return False
    _write(file, text)
    return True


def _read(file: Path) -> str:
    return file.read_text(encoding="ascii", errors="replace").strip() if file.exists() else ""


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(".new")
    beside.unlink(missing_ok=True)
    # Created with its final mode: a file that is readable even for a moment can be read.
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(text + "\n")
    beside.replace(file)
