"""A measurement from the command line: what it costs is told first, how far it is while it runs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn

from mixlaws.errors import InvalidInputError
from mixwright.corpora import text_of
from mixwright.offline.hyperparameters import build, settings
from mixwright.problems import CommandError
from proxy_training.corpus import Corpus
from proxy_training.corpus.documents import Document
from proxy_training.corpus.folder import FORMATS, FolderFile
from proxy_training.device import usable_device
from proxy_training.measure import PARTS, Measurement, check_parts, measure
from proxy_training.record import Record, write_json
from proxy_training.spec import TrainSpec
from proxy_training.windows import Windows, mixed_windows, text_windows

_TARGET_BYTES = 50_000_000  # of a plain file: far more than sequences are taken of it


@dataclass(frozen=True)
class Wanted:
    """What was asked for, as the options of the command name it."""

    text: Path
    target: Path | None
    parts: tuple[str, ...]
    sequences: int
    samples: int
    tokens: int
    settings: tuple[str, ...]
    seed: int
    device: str
    megabytes: float
    vocabulary: int


def measured(wanted: Wanted, out: Path) -> None:
    """Measure, and write the document.

    Raises:
        CommandError: a file cannot be read, or an option has no such value.
        RecordError: parts of another measurement stand beside the file.
        CorpusError: the corpus cannot be made.
    """
    console = Console(stderr=True)
    spec, target = _spec(wanted), _target_file(wanted.target)
    parts = wanted.parts or PARTS
    check_parts(parts)
    device = usable_device(wanted.device)
    corpus = text_of(wanted.text, megabytes=wanted.megabytes, vocabulary=wanted.vocabulary, console=console)
    try:
        what = Measurement(
            corpus,
            spec,
            _sequences(target, corpus, length=spec.context + 1, count=wanted.sequences),
            parts=parts,
            samples=wanted.samples,
            seed=wanted.seed,
            device=device,
        )
        for part, cost in what.costs.items():
            told = f"{part}: {cost.trainings} trainings, {cost.training_flops + cost.forward_flops:.3g} FLOPs"
            console.print(told, highlight=False, soft_wrap=True)
        record = Record(out.with_name(f"{out.name}.parts"), what.settings)
        write_json(out, _shown(what, record, console).dump())
    except InvalidInputError:
        raise
    except ValueError as error:
        raise CommandError(str(error)) from None
    record.discard()
    console.print(f"corpus {corpus.folder}", highlight=False, markup=False, soft_wrap=True)


def _shown(what: Measurement, record: Record, console: Console) -> Any:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f} %"))
    with Progress(*columns, console=console, transient=True) as progress:
        row = progress.add_task("", total=1.0)
        return measure(
            what,
            record,
            progress=lambda doing, share: progress.update(row, description=escape(doing), completed=share),
        )


def _spec(wanted: Wanted) -> TrainSpec:
    params = settings(wanted.settings)
    for name in ("tokens", "corpus"):
        if name in params:
            raise CommandError(f"--set {name}: there is an option or an argument for it")
    try:
        return build("model", {"decoder": TrainSpec}, "decoder", {**params, "tokens": wanted.tokens})
    except ValueError as error:
        raise CommandError(str(error)) from None


def _target_file(path: Path | None) -> FolderFile | None:
    if path is None:
        return None
    if not path.is_file():
        raise CommandError(f"there is no file {path}: give one that holds the target text")
    file = FolderFile("target", path.name, path, "text")
    if file.format is None:
        raise CommandError(f"{path} cannot be read: use {', '.join(FORMATS)}")
    return file


def _sequences(target: FolderFile | None, corpus: Corpus, *, length: int, count: int) -> Windows:
    if target is None:
        return mixed_windows(corpus, corpus.domains.natural, length=length, count=count)
    texts = [read.text for read in target.read(document_bytes=_TARGET_BYTES) if isinstance(read, Document)]
    return text_windows(texts, corpus.tokeniser, length=length, count=count)
