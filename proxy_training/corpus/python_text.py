"""Takes Python files apart into code and prose.

A Python file with its docstrings is half a prose document, so that `python` and `docs` would be one
domain twice. Here the code keeps everything but the multi-line strings that stand as statements, and
the prose keeps those alone.

One regular expression finds strings and comments in turn: fifty times as fast as the parser of the
standard library, and it reads files that only another Python version can parse.
"""

import ast
import inspect
import re
from collections.abc import Iterator

LONG_DOCSTRING = 300  # characters: shorter ones describe one argument and are hardly prose

# Atomic groups keep a broken file from costing more than one pass. (A possessive group would say the same,
# but before Python 3.11.5 it matches nothing here.)
_LEXEME = re.compile(
    r"""
    \#[^\n]*
    | (?P<triple>
        "{3} (?> (?: [^"\\]++ | \\. | "(?!"") )* ) "{3}
        | '{3} (?> (?: [^'\\]++ | \\. | '(?!'') )* ) '{3}
      )
    | " (?> (?: [^"\\\n]++ | \\. )* ) "
    | ' (?> (?: [^'\\\n]++ | \\. )* ) '
    """,
    re.DOTALL | re.VERBOSE,
)


def without_docstrings(text: str, /) -> str:
    """Remove every multi-line string that is a statement of its own."""
    pieces = []
    position = 0
    for start, end, _ in _string_statements(text):
        pieces.append(text[position:start])
        position = end
    pieces.append(text[position:])
    return "".join(pieces)


def long_docstrings(text: str, /) -> str:
    """Join the docstrings of a file that are long enough to be prose, with their indentation removed."""
    strings = (inspect.cleandoc(body) for _, _, body in _string_statements(text))
    return "\n\n".join(body for body in strings if len(body) > LONG_DOCSTRING)


def help_topics(text: str, /) -> Iterator[tuple[str, str]]:
    """Read the topics of `pydoc_data/topics.py`: the language reference, kept as a dictionary of strings."""
    try:
        module = ast.parse(text)
    except SyntaxError:
        return
    for node in ast.walk(module):
        if not isinstance(node, ast.Dict):
            continue
        for key, value in zip(node.keys, node.values, strict=True):
            match key, value:
                case ast.Constant(value=str(topic)), ast.Constant(value=str(body)):
                    yield f"#{topic}", body


def _string_statements(text: str) -> Iterator[tuple[int, int, str]]:
    """Start and end of the lines of each multi-line string statement, and what is between its quotes."""
    if '"""' not in text and "'''" not in text:
        return
    for match in _LEXEME.finditer(text):
        if match["triple"] is None or "\n" not in match["triple"]:
            continue
        start = text.rfind("\n", 0, match.start()) + 1
        end = text.find("\n", match.end()) + 1 or len(text)
        prefix_alone = not text[start : match.start()].strip(" \trRuU")
        if prefix_alone and not text[match.end() : end].strip():
            yield start, end, match["triple"][3:-3]
