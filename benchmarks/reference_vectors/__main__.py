"""How far policies are from reference vectors.

    python -m benchmarks.reference_vectors --vectors DIR [--json]

DIR holds JSON files of inputs and outputs of published implementations; which method a file is of is read
from its fields. Prints the largest deviation of every case, and leaves with status 1 if one is too large.
"""

import argparse
import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.reference_vectors.reading import Findings, read


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--vectors", type=Path, required=True, help="folder of vectors")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args()
    if not chosen.vectors.is_dir():
        parser.error(f"{chosen.vectors} is no folder: name the one that holds the vectors")
    findings = read(chosen.vectors)
    print(json.dumps(as_json(findings), indent=1)) if chosen.json else show(findings)
    raise SystemExit(not all(case.passed for _, case in findings.cases))


def as_json(findings: Findings) -> dict[str, object]:
    """The findings as plain values."""
    results = [
        {
            "file": file,
            "case": case.name,
            "deviation": case.deviation,
            "tolerance": case.tolerance,
            "passed": case.passed,
        }
        for file, case in findings.cases
    ]
    return {"results": results, "not_yet": findings.not_yet, "unknown": findings.unknown}


def show(findings: Findings) -> None:
    """The findings as a table."""
    table = Table("file", "case", "largest deviation", "allowed", "passed", title="Reference vectors")
    for file, case in findings.cases:
        passed = "yes" if case.passed else "no"
        table.add_row(file, case.name, f"{case.deviation:.1e}", f"{case.tolerance:.0e}", passed)
    Console().print(table)
    if findings.not_yet:
        print(f"no policy yet for {', '.join(findings.not_yet)}")
    if findings.unknown:
        print(f"not recognised: {', '.join(findings.unknown)}")


if __name__ == "__main__":
    main()
