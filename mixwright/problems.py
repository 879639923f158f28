"""Errors that a person can mend, told in a sentence; every other one keeps its stack trace."""

from rich.markup import escape

_MODULES = ("mixlaws.", "mixclient.", "proxy_training.", "service.", "mixwright.")
_EXTRAS = {
    "torch": "proxy", "tokenizers": "proxy", "mixclient": "proxy", "pyarrow": "proxy", "zstandard": "proxy",
    "fastapi": "service", "sqlalchemy": "service", "pydantic": "service", "uvicorn": "service",
    "alembic": "service", "psycopg": "service", "procrastinate": "service",
    "numpy": "laws", "scipy": "laws", "sklearn": "laws", "lightgbm": "laws", "plotly": "plots",
}  # fmt: skip


class CommandError(Exception):
    """A command cannot do what it was asked; the text says why and what to do."""


def explained(error: BaseException) -> str | None:
    """The sentence for an error of ours, or for a package that is not installed; None for any other."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        extra = _EXTRAS.get(error.name.split(".")[0])
        if extra is not None:
            return escape(f"{error.name} is not installed: pip install 'mixwright[{extra}]'")
    if type(error).__module__.startswith(_MODULES):
        return escape(str(error))
    return None
