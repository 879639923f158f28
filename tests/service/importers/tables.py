"""Small tables that are written for one test."""

from collections.abc import Sequence
from pathlib import Path


def written(path: Path, header: str, *rows: str) -> Path:
    """A CSV of a header and rows."""
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def wide_rows(count: int, *, losses: Sequence[str] = ()) -> list[str]:
    """Rows of `run,weight_web,weight_code,web,code`, no two alike; the last ones get given losses of web."""
    rows = []
    for number in range(count):
        share = (number + 1) / (count + 1)
        at = number - count + len(losses)
        loss = losses[at] if at >= 0 else f"{3 + share}"
        rows.append(f"r{number},{share!r},{1 - share!r},{loss},{2 + share}")
    return rows


WIDE = "run,weight_web,weight_code,web,code"


def olmix(folder: Path, metrics: Sequence[str], *, key: str = "run") -> Path:
    """A folder with Olmix's pair of tables: the mixtures of three runs, and some rows of metrics."""
    written(folder / "ratios.csv", f"{key},name,web,code", "a,x,.5,.5", "b,y,.25,.75", "c,z,1,0")
    written(folder / "metrics.csv", f"{key},name,arc_bpb", *metrics)
    return folder
