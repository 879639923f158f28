"""What the command lines of the benchmarks have in common."""

import argparse
from pathlib import Path


def arguments(description: str | None, *, published: bool = False) -> argparse.ArgumentParser:
    """A parser with `--json`, and with `--data` for benchmarks that need published runs."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawTextHelpFormatter)
    if published:
        parser.add_argument("--data", type=Path, required=True, help="folder with the published tables")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser
