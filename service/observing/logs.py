"""The log: lines for people on a terminal, JSON for programs; never a secret, and never a reason to stop."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO

import structlog

from service.observing.observed import current, told

# A key after its public part, and the password of an address.
_SECRETS = (
    (re.compile(r"\b(mx_[A-Za-z0-9]{1,12})[A-Za-z0-9_-]*"), r"\1..."),
    (re.compile(r"(\w+://[^\s:/@]*:)[^\s@]+@"), r"\1...@"),
    (re.compile(r"(?i)(bearer\s+|link=)[^\s'\"&]+"), r"\1..."),
)
Format = Literal["auto", "json", "console"]


class UnstoppableHandler(logging.StreamHandler[TextIO]):
    """Writes lines; one that cannot be written, as on a full disk, is counted and given up."""

    lost = 0

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - the base class's
        """Go on."""
        self.lost += 1


def configure(form: Format = "auto", *, stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Send all logging of this process to one place. For commands; libraries leave logging alone.

    Args:
        form: how lines look.
        stream: where they go; by default standard error.
        level: from which on lines are written.
    """
    target = stream if stream is not None else sys.stderr
    if target is None:  # a process without standard error, as of some supervisors
        logging.getLogger().handlers = [logging.NullHandler()]
        return
    people = form == "console" or (form == "auto" and target.isatty())
    shown: list[Any] = [structlog.dev.ConsoleRenderer()] if people else [
        structlog.processors.format_exc_info,
        _scrubbed,
        structlog.processors.JSONRenderer(default=str),
    ]  # fmt: skip
    handler = UnstoppableHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(),
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                _of_request,
                _scrubbed,
            ],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *shown],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in ("procrastinate", "httpx", "alembic"):  # they tell of every step
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def _of_request(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    scope = current.get()
    return line if scope is None else {**told(scope), **line}


def _scrubbed(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: scrub(value) if isinstance(value, str) else value for name, value in line.items()}


def scrub(text: str) -> str:
    """Text without keys and passwords."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text
