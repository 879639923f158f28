"""Errors that a person can mend, told in a sentence; every other one keeps its stack trace."""

import errno

_MODULES = ("mixlaws.", "mixclient.", "proxy_training.", "service.", "mixwright.")
_EXTRAS = {
    "torch": "proxy", "tokenizers": "proxy", "mixclient": "proxy", "pyarrow": "proxy", "zstandard": "proxy",
    "httpx": "proxy", "fastapi": "service", "starlette": "service", "jinja2": "service",
    "sqlalchemy": "service", "pydantic": "service", "pydantic_core": "service",
    "pydantic_settings": "service", "uvicorn": "service", "alembic": "service",
    "psycopg": "service", "psycopg_pool": "service", "procrastinate": "service",
    "psutil": "service", "anyio": "service", "markupsafe": "service",
    "structlog": "service", "prometheus_client": "service", "opentelemetry": "otel",
    "numpy": "laws", "scipy": "laws", "sklearn": "laws", "joblib": "laws", "lightgbm": "laws",
    "plotly": "plots", "tsdownsample": "plots",
}  # fmt: skip
# Rights and space are mended outside; of any other error of a file, the stack trace is wanted.
_OF_THE_MACHINE = {
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR, errno.EEXIST,
}  # fmt: skip


class CommandError(Exception):
    """A command cannot do what it was asked; the text says why and what to do."""


def explained(error: BaseException) -> str | None:
    """The sentence for an error of ours, or for a package that is not installed; None for any other."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.split(".")[0]
        extra = _EXTRAS.get(package)
        if extra is not None:
            return f"{package} is not installed: pip install 'mixwright[{extra}]'"
    if type(error).__module__.startswith(_MODULES):
        return str(error)
    if isinstance(error, OSError) and error.errno in _OF_THE_MACHINE:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return None
