"""Examples of the bodies of the API, by the names of their schemas.

They lie beside the schemas, in the `examples.json` of each slice; a test checks them against these.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_TEXTS = {
    "text/event-stream": 'id: "1-2"\nevent: schedule\ndata: {"schema": "mixture-schedule/v1", ...}\n\n',
    "application/x-ndjson": '{"kind": "study", "schema": "mixwright-study/v1", ...}\n',
    "text/plain": 'mixwright_reports_total{outcome="accepted"} 1024.0\n',
    "text/csv": "id,label,state,weight_web,weight_code,web,code\n",
}
_NEXT = "MAhS4S0YkNq0Jq1Yq3m8nSIwMTkzNGE1Yi03YzZkLTdlOGYtOWEwYi0xYzJkM2U0ZjVhNmIi"


def read() -> dict[str, Any]:
    """All examples.

    Raises:
        ValueError: two slices have an example of the same schema.
    """
    found: dict[str, Any] = {"HealthOut": {"status": "ok"}}
    for file in sorted(Path(__file__).parent.glob("*/examples.json")):
        of_slice = json.loads(file.read_text(encoding="utf-8"))
        twice = sorted(found.keys() & of_slice.keys())
        if twice:
            raise ValueError(f"{file.parent.name}: there is an example of {', '.join(twice)} already")
        found |= of_slice
    return found


def add(document: dict[str, Any]) -> None:
    """Put an example beside each body of an OpenAPI document."""
    examples = read()
    for operations in document["paths"].values():
        for operation in operations.values():
            succeeded = [answer for status, answer in operation["responses"].items() if status[0] == "2"]
            for body in (operation.get("requestBody", {}), *succeeded):
                for kind, content in body.get("content", {}).items():
                    example = _TEXTS.get(kind) or of(content["schema"], examples)
                    if example is not None:
                        content["example"] = example


def of(schema: Mapping[str, Any], examples: Mapping[str, Any]) -> Any:
    """An example of a schema; None if there is none of it."""
    if "oneOf" in schema:
        return of(schema["oneOf"][0], examples)
    if schema.get("type") == "array":
        return [of(schema["items"], examples)]
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    if name.startswith("Page_"):
        return {"items": [examples.get(name.split("_")[1])], "next": _NEXT, "total": None}
    return examples.get(name)
