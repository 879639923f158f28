"""Names that would be formulas, tags or code in a file: they are text, whoever reads the file back."""

import ast
import csv
import io
import json
from typing import Any

import pytest
import yaml

from tests.support.servers import Service

EVIL = [
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://evil.example","x")',
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "  =1+1",
    "!!python/object/apply:os.system ['id']",
    "&anchor *alias",
    "'); import os; os.abort(); ('",
    '"""); import os #',
    "{{ 7*7 }}",
    "a,b;c",
    "# no comment",
    "null",
]
# In text that is no name.
LINES = ["\t=1+1", "\r=1+1", "x\n=1+1", "=1+1\r\n=2+2"]
STUDY = "evil"
WEIGHT = 1 / len(EVIL)


@pytest.fixture
def evil(tenant: Service) -> Service:
    """A study in which every name is meant to be something else."""
    domains = [{"name": name, "tokens": 1000} for name in EVIL]
    tenant.client.create_study({"name": STUDY, "domains": domains, "notes": EVIL[0]})
    weights = dict.fromkeys([name.strip() for name in EVIL], WEIGHT)
    for number, text in enumerate([*EVIL, *LINES]):
        body = {"weights": weights, "label": text, "seed": number, "train": {text: text}}
        run = tenant.client.call("PUT", f"/v1/studies/{STUDY}/runs/r{number}", body=body)
        tenant.call("PUT", f"/v1/runs/{run['id']}/notes", {"notes": text}, headers={"If-Match": "*"})
    return tenant


def test_case_53_no_cell_of_a_table_of_runs_is_a_formula(evil: Service) -> None:
    answer = evil.call("GET", f"/v1/studies/{STUDY}/export?format=csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith("attachment;")
    heads, *rows = csv.reader(io.StringIO(answer.text, newline=""))
    assert heads[5 : 5 + len(EVIL)] == [f"weight:{name.strip()}" for name in EVIL]
    assert len(rows) == len(EVIL) + len(LINES)
    for row, text in zip(rows, [*EVIL, *LINES], strict=True):
        assert len(row) == len(heads), "no name breaks out of its cell"
        assert not [cell for cell in row if cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))]
        label = row[heads.index("label")]
        assert label.removeprefix("'") == text.removeprefix("'")
        assert [float(cell) for cell in row[5 : 5 + len(EVIL)]] == pytest.approx([WEIGHT] * len(EVIL))


def test_case_53_a_study_file_is_the_same_text_to_readers_of_json_yaml_and_python(evil: Service) -> None:
    file = evil.call("GET", f"/v1/studies/{STUDY}/export").text
    lines = [json.loads(line) for line in file.split("\n") if line]
    head, runs = lines[0], [line for line in lines if line["kind"] == "run"]
    assert [domain["name"] for domain in head["definition"]["domains"]] == [name.strip() for name in EVIL]
    assert [run["label"] for run in runs] == [*EVIL, *LINES]
    assert [run["train"] for run in runs] == [{text: text} for text in [*EVIL, *LINES]]
    for line in file.split("\n")[:-1]:
        kept: Any = json.loads(line)
        assert "".join(strings(yaml.safe_load(line))) == "".join(strings(kept))
        assert ast.literal_eval(repr(kept)) == kept
    other = evil.call("POST", "/v1/studies/import?name=again", content=file.encode())
    assert other.status_code == 201
    again = evil.call("GET", "/v1/studies/again/export").text
    assert again.split("\n")[1:-2] == file.split("\n")[1:-2]


def strings(value: Any) -> list[str]:
    """Every text of a document, in its order."""
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in strings(part)]
    if isinstance(value, list):
        return [text for part in value for text in strings(part)]
    return [value] if isinstance(value, str) else []
