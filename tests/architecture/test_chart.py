"""The chart: its values fit their schema, templates use those values alone, and what pods run exists.

Templates are read as text: to render them is left to helm, which no test needs.
"""

import json
import re
from typing import Any

import jsonschema
import pytest
import yaml

from tests.architecture.container_files import CHART, PROJECT, parse, stages, variables

VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
TEMPLATES = {path.name: path.read_text() for path in (CHART / "templates").iterdir()}
ALL = "\n".join(TEMPLATES.values())


def test_the_chart_is_of_the_version_of_the_program() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == PROJECT["project"]["version"]


def test_the_values_fit_their_schema() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    jsonschema.validate(VALUES, SCHEMA)


@pytest.mark.parametrize("wrong", [
    {"replicas": 3}, {"api": {"replicas": -1}}, {"settings": {"LEASE_SECONDS": "3"}},
    {"settings": {"MIXWRIGHT_LEASE_SECONDS": 3}}, {"hosts": "mix.example.org"}, {"service": {"port": 0}},
    {"trustedProxies": ["front.example.org"]},
])  # fmt: skip
def test_a_value_that_is_misspelt_or_wrong_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, SCHEMA)


def test_every_value_is_used_and_every_value_that_is_used_is_there() -> None:
    used = set(re.findall(r"\.Values\.([A-Za-z.]+)", ALL))
    for path in used:
        value: Any = VALUES
        for part in path.split("."):
            assert part in value, path
            value = value[part]
    for name, value in VALUES.items():
        inner = [f"{name}.{key}" for key in value] if isinstance(value, dict) and value else [name]
        for path in inner:
            assert [one for one in used if one in (path, name)], f"{path} is used nowhere"


def test_every_pod_runs_a_command_that_exists() -> None:
    started = [line.split(", ") for line in re.findall(r"^ +args: \[(.+)\]$", ALL, re.MULTILINE)]
    assert [words[1] for words in sorted(started)] == ["db", "serve", "worker"]
    for words in started:
        parse(words)


def test_every_variable_is_one_that_is_read() -> None:
    named = set(re.findall(r"\bname: (MIXWRIGHT_\w+)", ALL))
    assert len(named) >= 5
    assert named <= variables()


def test_every_pod_is_confined_and_every_container_too() -> None:
    for name in ("api.yaml", "tasks.yaml", "migration.yaml"):
        assert 'include "mixwright.pod"' in TEMPLATES[name]
        assert 'include "mixwright.container"' in TEMPLATES[name]
        assert ".resources" in TEMPLATES[name]
    helpers = TEMPLATES["_helpers.tpl"]
    user = stages()["service"].all("USER")[0].split(":")[0]
    for line in (
        "automountServiceAccountToken: false", "runAsNonRoot: true", f"runAsUser: {user}",
        "seccompProfile: {type: RuntimeDefault}", "allowPrivilegeEscalation: false",
        "readOnlyRootFilesystem: true", "capabilities: {drop: [ALL]}",
    ):  # fmt: skip
        assert line in helpers


def test_probes_ask_what_the_service_answers() -> None:
    asked = re.findall(r"(\w+)Probe:\n +httpGet: \{path: (/\w+), port: http\}", TEMPLATES["api.yaml"])
    assert dict(asked) == {"startup": "/livez", "readiness": "/readyz", "liveness": "/livez"}


def test_no_secret_is_a_value() -> None:
    assert not re.search(r"password|token", json.dumps(VALUES), re.IGNORECASE)
    assert VALUES["existingSecret"] == ""
    assert "kind: Secret" not in ALL
