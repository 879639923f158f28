"""Rules of the house that no linter of the shelf knows, each checked on every file."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("mixlaws", "mixclient/mixclient", "proxy_training", "service", "mixwright")
LONGEST_FILE = 400
LONGEST_FUNCTION = 60  # lines: a screen
BANNED_NAMES = {"utils", "common", "helpers", "core", "misc"}
BANNED_MODULES = {"pickle", "dill", "cloudpickle", "shelve", "marshal"}
BANNED_CALLS = {"eval", "exec", "compile", "yaml.load", "joblib.load", "joblib.dump", "torch.load"}


def sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def parsed() -> Iterator[tuple[Path, ast.Module]]:
    for path in sources():
        yield path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"))


def test_no_file_is_longer_than_a_concept_and_no_function_than_a_screen() -> None:
    files = [*sources(), *sorted((ROOT / "tests").rglob("*.py"))]
    long_files = [
        f"{path} has {n} lines" for path in files if (n := path.read_text().count("\n")) > LONGEST_FILE
    ]
    assert not long_files
    long_functions = [
        f"{path}:{node.lineno} {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for path, tree in parsed()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno
        and node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert not long_functions


def test_the_median_file_is_short() -> None:
    lengths = sorted(path.read_text().count("\n") for path in sources() if path.name != "__init__.py")
    assert lengths[len(lengths) // 2] <= 120


def test_files_are_named_after_concepts() -> None:
    assert not [path for path, _ in parsed() if set(path.parts) & BANNED_NAMES or path.stem in BANNED_NAMES]


def test_every_module_says_what_it_is() -> None:
    assert not [path for path, tree in parsed() if not ast.get_docstring(tree)]


def test_nothing_unpickles_or_evaluates() -> None:
    found = []
    for path, tree in parsed():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names = {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names = {(node.module or "").split(".")[0]}
            else:
                names = set()
            found += [f"{path} imports {name}" for name in names & BANNED_MODULES]
            if isinstance(node, ast.Call) and ast.unparse(node.func) in BANNED_CALLS:
                found.append(f"{path}:{node.lineno} calls {ast.unparse(node.func)}")
    assert not found


def test_input_is_never_checked_by_assert() -> None:
    # `python -O` removes it.
    found = [
        f"{path}:{node.lineno}"
        for path, tree in parsed()
        for node in ast.walk(tree)
        if isinstance(node, ast.Assert)
    ]
    assert not found


def test_queries_live_in_repositories_and_commits_in_one_place() -> None:
    query_names = {"select", "insert", "update", "delete", "text"}
    found = []
    for path, tree in parsed():
        if path.parts[0] != "service":
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy"):
                used = {alias.name for alias in node.names} & query_names
                if used and not path.name.endswith("repository.py") and "models" not in path.parts:
                    found.append(f"{path}:{node.lineno} imports {sorted(used)}")
            if isinstance(node, ast.Attribute) and node.attr == "commit" and path != Path("service/db.py"):
                found.append(f"{path}:{node.lineno} commits")
    assert not found


@pytest.mark.parametrize("module", ["proxy_training.spec", "mixlaws", "mixclient", "service.importers"])
def test_light_modules_import_neither_torch_nor_the_web(module: str) -> None:
    probe = (
        f"import sys, {module}; "
        "print([m for m in ('torch', 'fastapi', 'sqlalchemy', 'plotly', 'lightgbm') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_packages_whose_init_is_a_docstring_alone() -> None:
    for package in ("service", "service/importers", "proxy_training"):
        tree = ast.parse((ROOT / package / "__init__.py").read_text())
        assert len(tree.body) == 1, package
        assert ast.get_docstring(tree), package
