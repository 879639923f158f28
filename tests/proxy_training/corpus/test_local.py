"""The local corpus reads a Python installation, and nothing beside it."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from proxy_training.corpus import FolderError, LocalSource
from proxy_training.corpus.documents import Document, Skipped
from proxy_training.corpus.installation import installation_roots
from proxy_training.corpus.local import DOMAINS, NEIGHBOURS


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    root = tmp_path / "site-packages"
    (root / "numpy-2.0.dist-info").mkdir(parents=True)
    (root / "numpy").mkdir()
    (root / "numpy" / "core.py").write_text("x = 1\n", encoding="utf-8")
    return root


def origins(source: LocalSource) -> dict[str, list[str]]:
    return {domain: [file.origin for file in files] for domain, files in source.files().items()}


def test_an_installation_fills_its_domains_in_their_order(packages: Path) -> None:
    (packages / "numpy" / "core.pyi").write_text("x: int\n", encoding="utf-8")
    found = origins(LocalSource((packages,)))
    assert found == {
        "python": ["site/numpy/core.py"],
        "docs": ["site/numpy/core.py"],
        "stubs": ["site/numpy/core.pyi"],
    }
    assert list(found) == [domain for domain in DOMAINS if domain in found]


@pytest.mark.parametrize(
    "path",
    [
        "mixlaws/own.py",
        "mixwright-0.1.dist-info/METADATA",
        "numpy/__pycache__/core.py",
        "site-packages/other.py",
        "__editable___thing_finder.py",
        ".hidden/a.py",
    ],
)
def test_our_own_code_caches_and_editable_finders_are_not_read(packages: Path, path: str) -> None:
    before = origins(LocalSource((packages,)))
    (packages / path).parent.mkdir(exist_ok=True)
    (packages / path).write_text("x = 1\n", encoding="utf-8")
    assert origins(LocalSource((packages,))) == before


def test_links_to_folders_are_not_followed_and_end(packages: Path, tmp_path: Path) -> None:
    before = origins(LocalSource((packages,)))
    (tmp_path / "checkout").mkdir()
    (tmp_path / "checkout" / "other.py").write_text("y = 1\n", encoding="utf-8")
    (packages / "linked").symlink_to(tmp_path / "checkout")
    (packages / "numpy" / "circle").symlink_to(packages)
    assert origins(LocalSource((packages,))) == before


def test_files_that_cannot_be_read_say_why(packages: Path, text: Callable[..., str]) -> None:
    files = {
        "a.csv.gz": gzip.compress(b"1,2,3\n"),
        "cut.csv.gz": gzip.compress(text(1).encode())[:100],
        "no.csv.gz": b"not compressed",
        "latin.csv": "é".encode("latin-1"),
        "large.csv": b"1" * 2_000_001,
    }
    for name, raw in files.items():
        (packages / name).write_bytes(raw)
    (packages / "gone.csv").symlink_to(packages / "nowhere")
    (packages / "loop.csv").symlink_to(packages / "loop.csv")
    readings = {
        file.origin.removeprefix("site/"): next(iter(file.read(document_bytes=1000)))
        for file in LocalSource((packages,)).files()["tables"]
    }
    assert readings.pop("a.csv.gz") == Document("tables", "site/a.csv.gz", "1,2,3\n")
    assert {name: reading.reason for name, reading in readings.items() if isinstance(reading, Skipped)} == {
        "cut.csv.gz": "unreadable",
        "no.csv.gz": "unreadable",
        "latin.csv": "not UTF-8",
        "large.csv": "too large to be written by hand",
        "gone.csv": "no regular file",
        "loop.csv": "no regular file",
    }


def test_of_a_packages_bundles_the_smallest_is_read(packages: Path) -> None:
    for name, size in {
        "a/min.js": 300_000,
        "a/labs/wrapped.js": 310_000,
        "b/min.js": 400_000,
        "a/own.js": 9,
    }.items():
        (packages / name).parent.mkdir(parents=True, exist_ok=True)
        (packages / name).write_text("x" * size, encoding="utf-8")
    readings = {
        file.origin: next(iter(file.read(document_bytes=9)))
        for file in LocalSource((packages,)).files()["web"]
    }
    refused = [origin for origin, reading in readings.items() if isinstance(reading, Skipped)]
    assert refused == ["site/a/labs/wrapped.js"]


def test_the_fingerprint_follows_the_installed_versions(packages: Path) -> None:
    source = LocalSource((packages,))
    before = source.fingerprint()
    (packages / "mixwright-0.2.dist-info").mkdir()
    assert source.fingerprint() == before
    (packages / "numpy-2.0.dist-info").rename(packages / "numpy-2.1.dist-info")
    assert source.fingerprint() != before


def test_a_root_that_is_missing_or_holds_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="No such file"):
        LocalSource((tmp_path / "nowhere",)).fingerprint()
    with pytest.raises(FolderError, match="no text"):
        LocalSource((tmp_path,)).files()


def test_every_domain_but_one_has_a_declared_fate_and_merges_before_its_neighbour() -> None:
    assert set(DOMAINS) - set(NEIGHBOURS) == {"python"}
    order = [*NEIGHBOURS, "python"]
    for domain, neighbour in NEIGHBOURS.items():
        assert neighbour is None or order.index(domain) < order.index(neighbour)


def test_the_running_installation_has_a_standard_library_and_packages() -> None:
    roots = installation_roots()
    assert any((root / "argparse.py").exists() for root in roots)
    assert any((root / "numpy").exists() for root in roots)
