"""Python files are taken apart into code and prose."""

import ast
import sysconfig
from inspect import cleandoc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_training.corpus.python_text import LONG_DOCSTRING, help_topics, long_docstrings, without_docstrings

LONG = "word " * 80
CODE = f'''"""Module.

{LONG}
"""
import os

TEMPLATE = """
kept: it is a value
"""
HASH = "#" + """ # """  # " odd quotes ' in a comment """


def read(path):
    r"""Short, one line, kept."""
    text = "it's"
    """Removed, {LONG}
    with a \\"\\"\\" inside
    """
    return call(
        """kept:
        an argument""", text
    )
'''


def test_statements_that_are_multi_line_strings_leave_the_code_and_nothing_else_does() -> None:
    code = without_docstrings(CODE)
    assert "kept: it is a value" in code
    assert "kept:\n        an argument" in code
    assert "Short, one line, kept." in code
    assert LONG not in code
    ast.parse(code)


def test_prose_is_what_the_code_lost_without_its_indentation() -> None:
    prose = long_docstrings(CODE)
    assert prose.startswith("Module.\n\nword word")
    assert "import os" not in prose
    assert "kept" not in prose


@pytest.mark.parametrize("module", ["argparse.py", "asyncio/base_events.py"])
def test_docstrings_are_found_where_python_finds_them(module: str) -> None:
    text = (Path(sysconfig.get_paths()["stdlib"]) / module).read_text(encoding="utf-8")
    holders = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    statements = [
        ast.get_source_segment(text, node.body[0]) or ""
        for node in ast.walk(ast.parse(text))
        if isinstance(node, holders) and ast.get_docstring(node) is not None
    ]
    expected = [string[3:-3] for string in statements if string.startswith('"""') and "\n" in string]
    prose, code = long_docstrings(text), without_docstrings(text)
    for docstring in expected:
        assert docstring not in code
        assert len(cleandoc(docstring)) <= LONG_DOCSTRING or cleandoc(docstring) in prose
    assert len(expected) > 10
    assert len(code) > len(text) / 4


@given(st.text(alphabet="\"'#\\\nrx =", max_size=60))
def test_any_text_is_read_and_nothing_is_invented(text: str) -> None:
    code = without_docstrings(text)
    assert len(code) <= len(text)
    assert set(code) <= set(text)


def test_help_topics_are_documents_of_their_own() -> None:
    topics = dict(
        help_topics('# comment\ntopics = {"assert": "The assert statement", "break": "b" "c", "n": 1}')
    )
    assert topics == {"#assert": "The assert statement", "#break": "bc"}
    assert not list(help_topics("topics = {"))
