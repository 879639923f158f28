"""Sampling accounts for every document, does not depend on the order of listing, and stops when full."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from proxy_training.corpus.collect import Collected, collect
from proxy_training.corpus.documents import Document, Reading, Skipped


@dataclass(frozen=True)
class MemoryFile:
    origin: str
    texts: tuple[str | None, ...]
    priority: int = 0

    def read(self, *, document_bytes: int) -> Iterator[Reading]:  # noqa: ARG002 - the port's signature
        for number, text in enumerate(self.texts):
            origin = f"{self.origin}:{number}"
            yield Skipped("d", origin, "broken") if text is None else Document("d", origin, text)


def gather(
    files: Sequence[MemoryFile], *, seed: int = 0, domain: int = 10**9, document: int = 10**6
) -> Collected:
    return collect(files, seed=seed, domain_bytes=domain, document_bytes=document, shortest_document=3)


texts = st.one_of(
    st.none(), st.text(max_size=12), st.sampled_from(["same text", "a\0b", "\ud800", " \n ", "漢字漢字"])
)


@given(
    st.lists(st.lists(texts, max_size=6), max_size=6),
    st.integers(0, 3),
    st.integers(1, 60),
    st.integers(1, 20),
)
def test_no_document_is_lost_or_counted_twice(
    bodies: list[list[str | None]], seed: int, domain: int, document: int
) -> None:
    files = [MemoryFile(f"f{number}", tuple(body)) for number, body in enumerate(bodies)]
    found = gather(files, seed=seed, domain=domain, document=document)
    assert found.read == len(found.documents) + sum(found.skipped.values())
    assert len({kept.origin for kept in found.documents}) == len(found.documents)
    written = {f"f{n}:{m}": text for n, body in enumerate(bodies) for m, text in enumerate(body)}
    for kept in found.documents:
        whole = written[kept.origin]
        assert whole is not None
        assert whole.startswith(kept.text)
        assert len(kept.text.encode()) <= document
    if found.opened == len(files) and sum(len(kept.text.encode()) for kept in found.documents) < domain:
        assert found.read == sum(len(body) for body in bodies)


def test_reasons_are_counted() -> None:
    found = gather([MemoryFile("f", ("abc", "abc", None, "a\0bc", "\ud800abc", "  \n ", "ab"))])
    assert [kept.text for kept in found.documents] == ["abc"]
    assert found.skipped == {
        "broken": 1,
        "copy": 1,
        "empty": 1,
        "holds NUL characters": 1,
        "holds lone surrogates": 1,
        "shorter than 3 bytes": 1,
    }


def test_the_sample_depends_on_the_seed_and_not_on_the_order_of_listing(text: Callable[..., str]) -> None:
    files = [MemoryFile(f"f{number}", (text(number, lines=10),)) for number in range(60)]
    shuffled = random.Random(1).sample(files, k=len(files))  # noqa: S311 - an order, no secret
    assert gather(files, domain=5000) == gather(shuffled, domain=5000)
    assert gather(files, domain=5000) != gather(files, domain=5000, seed=1)


def test_a_new_file_takes_its_place_and_moves_no_other(text: Callable[..., str]) -> None:
    files = [MemoryFile(f"f{number}", (text(number, lines=10),)) for number in range(60)]
    before = [kept.origin for kept in gather(files).documents]
    after = [kept.origin for kept in gather([MemoryFile("new", ("a new text",)), *files]).documents]
    assert [origin for origin in after if origin != "new:0"] == before


def test_reading_stops_when_the_domain_is_full_and_says_what_was_left(text: Callable[..., str]) -> None:
    files = [MemoryFile(f"f{number}", (text(number, lines=10),)) for number in range(60)]
    found = gather(files, domain=5000)
    size = sum(len(kept.text.encode()) for kept in found.documents)
    assert 5000 <= size < 5000 + max(len(kept.text.encode()) for kept in found.documents)
    assert found.opened < found.files == 60


def test_files_of_a_lower_number_are_read_first(text: Callable[..., str]) -> None:
    files = [MemoryFile(f"f{number}", (text(number),), priority=number % 2) for number in range(20)]
    order = [int(kept.origin[1:-2]) % 2 for kept in gather(files).documents]
    assert order == sorted(order)


def test_a_giant_document_gives_its_beginning_and_the_rest_is_counted() -> None:
    found = gather([MemoryFile("f", ("漢" * 100,))], document=100)
    (kept,) = found.documents
    assert kept.text == "漢" * 33
    assert found.trimmed_bytes == 300 - 99
