"""Where the dashboard joins the application."""

from fastapi import FastAPI


def install(app: FastAPI) -> None:
    """Add pages and static files."""
    del app
