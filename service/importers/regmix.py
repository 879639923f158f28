"""RegMix's tables: `train_mixture_1m.csv` with `train_pile_loss_1m.csv`, joined by `index`.

Source: the published swarm of Liu et al. 2024, arXiv:2407.01492. Weights are rounded to three decimals, so
that rows sum to .996 to 1.003; the two tables name other domains, in another order.
"""

from pathlib import Path

from service.importers.joined import join, the_pair
from service.importers.run import Source
from service.importers.table import Table, read_columns, read_table

NAME = "regmix"
_INDEX = "index"
_DOMAIN_PREFIXES = ("train_the_pile_", "train_")
_TARGET_PREFIXES = ("metric/the_pile_", "metric/")
_TARGET_SUFFIX = "_val_loss"


def find(path: Path) -> tuple[Path, Path] | None:
    """The two files: those of a folder, where training runs go before test runs, or those of one part."""
    if path.is_file():
        return next((pair for pair in _pairs(path.parent) if path in pair), None)
    pairs = _pairs(path)
    trained = [pair for pair in pairs if pair[0].name.startswith("train")]
    return the_pair(path, trained or pairs, "RegMix tables") if pairs else None


def read(path: Path) -> Source:
    """Read the two files at a path that `find` knows."""
    pair = find(path)
    if pair is None:
        raise FileNotFoundError(path)
    mixtures, losses = (read_table(file) for file in pair)
    return join(
        NAME,
        (mixtures, _INDEX),
        (losses, _INDEX),
        domains={column: _short(column, _DOMAIN_PREFIXES) for column in _others(mixtures)},
        targets={
            column: _short(column, _TARGET_PREFIXES).removesuffix(_TARGET_SUFFIX)
            for column in _others(losses)
        },
    )


def _pairs(folder: Path) -> list[tuple[Path, Path]]:
    """Tables of mixtures, each with the table of losses whose name differs in that word alone."""
    pairs = []
    for mixtures in sorted(folder.glob("*_mixture_*.csv")):
        part, _, scale = mixtures.stem.partition("_mixture_")
        losses = sorted(folder.glob(f"{part}_*loss_{scale}.csv"))
        if losses and _INDEX in read_columns(mixtures):
            pairs.append((mixtures, losses[0]))
    return pairs


def _others(table: Table) -> list[str]:
    table.require(_INDEX)
    return [column for column in table.columns if column != _INDEX]


def _short(column: str, prefixes: tuple[str, ...]) -> str:
    return next((column.removeprefix(prefix) for prefix in prefixes if column.startswith(prefix)), column)
