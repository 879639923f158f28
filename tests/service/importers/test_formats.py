"""Every format is recognised, joined by name, and refused with the place of what is wrong."""

import csv
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from service.importers.errors import ImportRefusedError
from service.importers.reading import read_runs
from tests.service.importers.tables import WIDE, olmix, wide_rows, written


def test_tables_without_a_run_in_common_are_refused_with_what_they_hold(tmp_path: Path) -> None:
    with pytest.raises(ImportRefusedError, match="no run in common: 'run' holds 'a', 'run' holds 'run_1'"):
        read_runs(olmix(tmp_path, ("run_1,x,1.0",)))


def test_a_folder_with_several_pairs_wants_one_named(tmp_path: Path) -> None:
    olmix(tmp_path, ("a,x,1.0", "b,y,2.0"))
    for kind in ("ratios", "metrics"):
        (tmp_path / f"dclm_{kind}.csv").write_text((tmp_path / f"{kind}.csv").read_text())
    with pytest.raises(ImportRefusedError, match=r"several Olmix tables: dclm_ratios\.csv, ratios\.csv"):
        read_runs(tmp_path)
    assert read_runs(tmp_path / "dclm_metrics.csv").report.files == ("dclm_ratios.csv", "dclm_metrics.csv")


def test_a_wide_table_is_one_row_a_run(tmp_path: Path) -> None:
    imported = read_runs(written(tmp_path / "runs.csv", WIDE, *wide_rows(5)))
    assert imported.report.format == "wide"
    assert imported.swarm.targets == ("web", "code")
    assert imported.swarm.domains.names == ("web", "code")
    assert [run.name for run in imported.runs] == [f"r{i}" for i in range(5)]


def test_columns_of_text_are_no_targets_and_are_told(tmp_path: Path) -> None:
    rows = [f"{row},a note" for row in wide_rows(4)]
    imported = read_runs(written(tmp_path / "runs.csv", f"{WIDE},comment", *rows))
    assert imported.swarm.targets == ("web", "code")
    assert imported.report.to_json()["findings"]["columns_left_out"]["names"] == ["comment"]


def test_rows_without_a_name_are_merged_only_if_they_are_equal_in_all_fields(tmp_path: Path) -> None:
    rows = [row.split(",", 1)[1] for row in wide_rows(4)]
    repeat = rows[0].rsplit(",", 1)[0] + ",2.9"
    table = written(tmp_path / "runs.csv", WIDE.split(",", 1)[1], *rows, rows[0], repeat)
    report = read_runs(table).report
    assert report.runs == 5
    assert report.count("merged_duplicates") == 1


def test_parquet_holds_the_same_as_csv(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="the extra `proxy` is not installed: no parquet is read")
    parquet = importlib.import_module("pyarrow.parquet")
    table = written(tmp_path / "runs.csv", WIDE, *wide_rows(5, losses=("",)))
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    plain = [
        {key: value if key == "run" else (float(value) if value else None) for key, value in row.items()}
        for row in rows
    ]
    parquet.write_table(pyarrow.Table.from_pylist(plain), tmp_path / "runs.parquet")
    first, second = (read_runs(tmp_path / f"runs.{kind}") for kind in ("csv", "parquet"))
    assert second.swarm.values.tolist() == first.swarm.values.tolist()
    assert second.report.count("incomplete") == first.report.count("incomplete") == 1


def test_without_pyarrow_a_csv_is_read_and_parquet_says_what_is_missing(tmp_path: Path) -> None:
    written(tmp_path / "runs.csv", WIDE, *wide_rows(4))
    (tmp_path / "runs.parquet").write_bytes(b"PAR1")
    probe = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from pathlib import Path\n"
        "from service.importers.reading import read_runs\n"
        f"print(read_runs(Path({str(tmp_path / 'runs.csv')!r})).report.runs)\n"
        f"try: read_runs(Path({str(tmp_path / 'runs.parquet')!r}))\n"
        "except Exception as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("4\npyarrow is not installed")


@pytest.mark.parametrize(
    ("header", "rows", "message"),
    [
        ("a,b", ("1,2",), "cannot be read in any format"),
        ("", (), "has no header"),
        (WIDE, (), "has no rows below its header"),
        (WIDE, ("r,0.5,0.5,3",), "line 2: 4 cells under 5 columns"),
        (WIDE, ("r,0.5,half,3,3",), "line 2: 'weight_code' is 'half': expected a number"),
        (WIDE, ("r,0.5,,3,3",), "line 2: the weight 'weight_code' is empty"),
        (WIDE, (",0.5,0.5,3,3",), "line 2: the column 'run' is empty"),
        (WIDE, ("r,0.5,0.5,3,3", "s,0.5,0.5,3,x"), "line 3: 'code' is 'x': expected a number"),
        (f"{WIDE},code", ("r,0.5,0.5,3,3,3",), "the column 'code' stands twice"),
        (f"{WIDE},seed", ("r,0.5,0.5,3,3,1.5",), "'seed' is 1.5: expected a whole number"),
        ("run,weight_web,weight_code", ("r,0.5,0.5",), "no target is left"),
    ],
)
def test_what_is_no_table_of_runs_is_refused_with_its_place(
    tmp_path: Path, header: str, rows: tuple[str, ...], message: str
) -> None:
    table = written(tmp_path / "runs.csv", header, *rows)
    with pytest.raises(ImportRefusedError, match=message):
        read_runs(table)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_bytes(b"weight_a,weight_b\n\xff\xfe,1\n")
    with pytest.raises(ImportRefusedError, match="not a CSV in UTF-8"):
        read_runs(tmp_path / "runs.csv")


def test_options_that_a_format_does_not_have_are_refused(tmp_path: Path) -> None:
    table = written(tmp_path / "runs.csv", WIDE, *wide_rows(4))
    with pytest.raises(ImportRefusedError, match="in the format wide, which has no sizes and steps"):
        read_runs(table, step=3)
    with pytest.raises(ImportRefusedError, match="unknown format 'wid': did you mean 'wide'"):
        read_runs(table, format_name="wid")
    with pytest.raises(ImportRefusedError, match="cannot be read as olmix"):
        read_runs(table, format_name="olmix")
    with pytest.raises(ImportRefusedError, match="there is no file or folder"):
        read_runs(tmp_path / "absent.csv")


def test_importers_bring_in_neither_torch_nor_the_web() -> None:
    probe = (
        "import sys, service.importers.reading; "
        "print([m for m in ('torch', 'fastapi', 'sqlalchemy', 'pydantic', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
