"""Commands as users run them: in this process, or in one of their own."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from mixwright.cli import main


@dataclass(frozen=True)
class Outcome:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """What it complained of; a stack trace is never that."""
        assert self.code != 0
        assert "Traceback" not in self.err
        # Boxes around wrong options break lines.
        return " ".join(self.err.replace("│", " ").split())


class Command:
    """`mixwright` in this process, with an environment of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, captured: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._captured = monkeypatch, captured

    def __call__(self, *arguments: str, **environment: str) -> Outcome:
        self._captured.readouterr()
        handler = signal.getsignal(signal.SIGTERM)
        with self._monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["mixwright", *arguments])
            for name, value in environment.items():
                patch.setenv(name, value)
            try:
                main()
                code: int | str | None = 0
            except SystemExit as ended:
                code = ended.code
            finally:
                signal.signal(signal.SIGTERM, handler)
        printed = self._captured.readouterr()
        assert isinstance(code, int)
        return Outcome(code, printed.out, printed.err)


def spawned(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
    """`mixwright` in a process of its own, which the caller ends."""
    return subprocess.Popen(
        [sys.executable, "-m", "mixwright", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def without_packages(refused: Mapping[str, str], *arguments: str) -> Outcome:
    """`mixwright` in a Python that lacks the named packages."""
    # Of a name that is None in `sys.modules`, Python says that no such module is found.
    probe = (
        f"import sys; sys.modules.update(dict.fromkeys({sorted(refused)!r}));"
        f"sys.argv = ['mixwright', *{arguments!r}]; from mixwright.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False)
    return Outcome(done.returncode, done.stdout, done.stderr)


def new_texts(folder: Path, *, documents: int) -> Path:
    """A folder with two domains of so many documents, none of which repeats another."""
    for domain in ("letters", "digits"):
        (folder / domain).mkdir(parents=True)
        digits = "0123456789" if domain == "digits" else "abcdefghij"
        for number in range(documents):
            words = (f"{1009 * (number * 4000 + i) % 99991:05d}" for i in range(4000))
            text = "\n".join(words).translate(str.maketrans("0123456789", digits))
            (folder / domain / f"{number}.txt").write_text(text, encoding="utf-8")
    return folder
