"""Types of the client, made from the document of the interface.

A schema that operations of one topic use is in the file of that topic, all others are in `shared.py`, so
that files need `shared.py` alone. What is sent is read-only (`Sequence`, `Mapping`), so that any such value
fits.
"""

import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "mixclient" / "mixclient" / "documents"
_LONGEST_SENTENCE = 95
_REFERENCE = "#/components/schemas/"
_PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_HEAD = '''"""{about}: made from the document of the API.

Renewed by `python -m tests.support.documents`.
"""

from __future__ import annotations

'''


def files(document: dict[str, Any]) -> dict[str, str]:
    """Name and text of every file."""
    schemas = document["components"]["schemas"]
    users: dict[str, set[str]] = defaultdict(set)
    for path, operations in document["paths"].items():
        for operation in operations.values():
            topic = "reports" if path.endswith("/reports") else operation["tags"][0]
            for name in _reached(_exchanged(operation), schemas):
                users[name].add(topic)
    places: dict[str, list[str]] = defaultdict(list)
    for name in sorted(users):
        (topic,) = users[name] if len(users[name]) == 1 else ("shared",)
        if not name.startswith("Page_"):
            places[topic].append(name)
    shared = set(places["shared"])
    made = {f"{topic}.py": _file(topic, names, schemas, shared) for topic, names in sorted(places.items())}
    about = (
        '"""Documents that the API takes and gives, by what they are about; made from its own document."""\n'
    )
    return {"__init__.py": about} | {name: _formatted(text) for name, text in made.items()}


def write(document: dict[str, Any]) -> None:
    """Renew the files."""
    made = files(document)
    FOLDER.mkdir(exist_ok=True)
    for old in set(FOLDER.glob("*.py")) - {FOLDER / name for name in made}:
        old.unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


def _exchanged(operation: dict[str, Any]) -> Iterator[Any]:
    yield operation.get("requestBody", {})
    yield operation.get("parameters", [])
    yield from (answer for status, answer in operation["responses"].items() if status < "400")


def _reached(place: Any, schemas: dict[str, Any]) -> set[str]:
    """Names of all schemas that a part of the document needs."""
    found: set[str] = set()
    waiting = [place]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            name = str(part.get("$ref", "")).removeprefix(_REFERENCE)
            if name in schemas and name not in found:
                found.add(name)
                waiting.append(schemas[name])
            waiting += part.values()
        elif isinstance(part, Iterator | list):
            waiting += part
    return found


def _file(topic: str, names: list[str], schemas: dict[str, Any], shared: set[str]) -> str:
    body = "\n\n".join(_definition(name, schemas[name]) for name in names)
    words = set(re.findall(r"\w+", body))
    used = {module: sorted(words & set(members)) for module, members in _IMPORTS.items()}
    lines = [f"from {module} import {', '.join(members)}" for module, members in used.items() if members]
    ours = sorted(words & shared) if topic != "shared" else []
    if ours:
        lines += ["", f"from mixclient.documents.shared import {', '.join(ours)}"]
    about = "Documents of several kinds" if topic == "shared" else f"Documents about {topic}"
    return _HEAD.format(about=about) + "\n".join(lines) + "\n\n\n" + body


_IMPORTS = {"collections.abc": ["Mapping", "Sequence"], "typing": ["Any", "Literal", "TypedDict"]}


def _definition(name: str, schema: dict[str, Any]) -> str:
    read_only = not name.endswith("Out")
    if "properties" not in schema:
        return f"{name} = {_type(schema, read_only=read_only)}\n"
    needed = set(schema.get("required", schema["properties"] if not read_only else ()))
    fields = {key: _type(value, read_only=read_only) for key, value in schema["properties"].items()}
    told = _sentence(str(schema.get("description", ""))) or f"See `{name}` of the API."
    always = [f"    {key}: {kind}" for key, kind in fields.items() if key in needed]
    sometimes = [f"    {key}: {kind}" for key, kind in fields.items() if key not in needed]
    if not sometimes or not always:
        total = "" if always else ", total=False"
        return _class(name, f"TypedDict{total}", told, always or sometimes)
    base = f"_{name}Needs"
    return (
        _class(base, "TypedDict", f"What every `{name}` holds.", always)
        + "\n\n"
        + _class(name, f"{base}, total=False", told, sometimes)
    )


def _sentence(description: str) -> str:
    """The beginning of a description, as far as a line goes."""
    told = " ".join(description.split("\n\n", maxsplit=1)[0].split())
    if len(told) <= _LONGEST_SENTENCE:
        return told
    ends = [found.start() for found in re.finditer(r"[.:;,] ", told[:_LONGEST_SENTENCE])]
    return told[: ends[-1]] + "."


def _class(name: str, bases: str, told: str, fields: list[str]) -> str:
    return f'class {name}({bases}):\n    """{told}"""\n\n' + "\n".join(fields) + "\n"


def _type(schema: dict[str, Any], *, read_only: bool) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(_REFERENCE)
    values = schema.get("enum") or [schema[key] for key in ("const",) if key in schema]
    if values:
        return f"Literal[{', '.join(map(repr, values))}]"
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return " | ".join(_type(choice, read_only=read_only) for choice in choices)
    held = schema.get("items") or schema.get("additionalProperties")
    inner = _type(held, read_only=read_only) if isinstance(held, dict) else "Any"
    if schema.get("type") == "array":
        return f"Sequence[{inner}]" if read_only else f"list[{inner}]"
    if schema.get("type") == "object":
        return f"Mapping[str, {inner}]" if read_only else f"dict[str, {inner}]"
    return _PLAIN.get(str(schema.get("type")), "Any")


def _formatted(text: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(FOLDER / "made.py"), "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    return done.stdout
