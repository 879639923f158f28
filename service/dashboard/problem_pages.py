"""Problems as pages: what a browser is shown where a program gets a document."""

from collections.abc import Mapping
from typing import Any

from fastapi.responses import HTMLResponse
from starlette.datastructures import Headers
from starlette.types import Scope

from service.dashboard.rendering import page


def problem_page(scope: Scope, document: Mapping[str, Any]) -> HTMLResponse | None:
    """The page of a problem; None for a program, and for the API."""
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    if path.startswith("/v1/") or "text/html" not in Headers(scope=scope).get("accept", ""):
        return None
    title, detail, status = document["title"], document["detail"], document["status"]
    places = [error["loc"] for error in document.get("errors", ())]
    misspelt = bool(places) and all(place.startswith("path.") for place in places)
    if misspelt or (status == 404 and "endpoint" not in scope):
        title, status = "Not found", 404
        detail = f"There is no page {path}: its address was cut short or misspelt, or it was never there."
    elif places:
        told = "; ".join(f"{_name(error['loc'])}: {error['msg']}" for error in document["errors"])
        detail = f"This page cannot be shown, since something in its address is not right. {told}"
    answer = page("error.html", title=title, detail=detail, request_id=document["request_id"])
    answer.status_code = status
    return answer


def _name(place: str) -> str:
    """What an error is about, as the address has it: `query.fit.0` is of `fit`."""
    parts = place.split(".")
    return parts[1] if len(parts) > 1 else place
