"""Which domain reads a file of a Python installation, judged by its path alone."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from proxy_training.corpus.bundles import modules
from proxy_training.corpus.python_text import help_topics, long_docstrings, without_docstrings

# Takes a file's text apart: what to add to the origin of each document, and its text.
Extract = Callable[[str], Iterable[tuple[str, str]]]

_ENDINGS: Mapping[str, tuple[str, ...]] = {
    "cxx": (".c", ".cc", ".cpp", ".cxx", ".cu", ".cuh", ".h", ".hh", ".hpp", ".inl"),
    "docs": (".md", ".rst", ".txt"),
    "stubs": (".pyi",),
    "cython": (".pyx", ".pxd", ".pxi", ".tp"),
    "web": (".js", ".mjs", ".css", ".html", ".htm"),
    # Whatever declares and does not compute, catalogues of the embedded database included.
    "config": (
        *(".json", ".jsn", ".geojson", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf"),
        *(".xml", ".xsl", ".sql", ".bki", ".cmake", ".sample"),
    ),
    "tables": (".csv", ".tsv", ".dat", ".data", ".arff", ".dectest"),
}
_DOMAIN_OF: Mapping[str, str] = {ending: name for name, endings in _ENDINGS.items() for ending in endings}
_LICENCES = ("license", "licence", "copying", "notice", "authors", "copyright")
_TEST_FOLDERS = frozenset({"test", "tests", "testing"})


@dataclass(frozen=True)
class Role:
    """What a file is read for; a Python file has two roles, code and prose.

    Args:
        domain: that reads it.
        extract: what the domain takes from its text.
        priority: files of a lower number are read first.
    """

    domain: str
    extract: Extract
    priority: int = 0


def roles(origin: str, /) -> Iterator[Role]:
    """The domains that read a file, given where it stands; none for most binary files."""
    *folders, name = origin.split("/")
    ending = _ending(name)
    if origin.endswith("pydoc_data/topics.py"):
        yield Role("docs", help_topics)
    elif ending == ".py":
        yield Role("tests" if _is_test(folders, name) else "python", _code)
        # Docstrings fill what room the pages written as prose leave.
        yield Role("docs", _prose, priority=1)
    elif name.lower().startswith(_LICENCES) and _DOMAIN_OF.get(ending, "docs") == "docs":
        yield Role("licences", _whole)
    elif any(folder.endswith((".dist-info", ".egg-info")) for folder in folders):
        yield from _metadata_roles(folders, name)
    elif ending == ".txt":
        yield Role(_domain_of_plain_text(folders, name), _whole)
    elif ending in _DOMAIN_OF:
        yield Role(_DOMAIN_OF[ending], modules if ending == ".js" else _whole)


def _ending(name: str) -> str:
    """The last ending of a name in small letters, that of compression aside."""
    stem, dot, ending = name.lower().removesuffix(".gz").rpartition(".")
    return dot + ending if stem else ""


def _metadata_roles(folders: Sequence[str], name: str) -> Iterator[Role]:
    """Of what an installer writes, the project's page and its bill of materials are text."""
    if name == "METADATA":
        yield Role("docs", _description)
    elif "sboms" in folders:
        yield Role("config", _whole)


def _domain_of_plain_text(folders: Sequence[str], name: str) -> str:
    if name == "CMakeLists.txt":
        return "config"
    return "tables" if "data" in folders or "testcases" in name else "docs"


def _is_test(folders: Sequence[str], name: str) -> bool:
    return name.startswith("test_") or not _TEST_FOLDERS.isdisjoint(folders)


def _whole(text: str) -> Iterable[tuple[str, str]]:
    return [("", text)]


def _code(text: str) -> Iterable[tuple[str, str]]:
    return [("", without_docstrings(text))]


def _prose(text: str) -> Iterable[tuple[str, str]]:
    prose = long_docstrings(text)
    return [("", prose)] if prose else []


def _description(text: str) -> Iterable[tuple[str, str]]:
    """The body of a METADATA file."""
    return [("", text.partition("\n\n")[2])]
