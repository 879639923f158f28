"""Documents that are made from the code and kept: `python -m tests.support.documents` renews them."""

import json
from pathlib import Path
from typing import Any

from service.app import create_app
from service.db import Database
from service.problem_catalogue import markdown
from service.settings import Settings
from tests.support import client_documents

DOCS = Path(__file__).parents[2] / "docs"
HOW = "renew it with `python -m tests.support.documents`, and look at what has changed"


def openapi() -> dict[str, Any]:
    """The document of the interface; nothing is connected to."""
    database = Database("postgresql://nobody@localhost/nothing")
    document: dict[str, Any] = json.loads(json.dumps(create_app(Settings(), database).openapi()))
    return document


def written(document: dict[str, Any]) -> str:
    """A document as it is kept."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    client_documents.write(openapi())
    (DOCS / "openapi.json").write_text(written(openapi()), encoding="utf-8")
    (DOCS / "problems.md").write_text(markdown(), encoding="utf-8")
