"""Pages from templates: everything is escaped, figures travel as data, times are told in words."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from service import proxies
from service.dashboard.drawing_library import guarded_style_ids, library_version
from service.dashboard.markdown import markdown
from service.dashboard.plain_figures import plain_figure
from service.dashboard.sparklines import sparkline
from service.scopes import current
from service.studies.overview_repository import MOST_COUNTED

_STATES = {"completed": "good", "done": "good", "running": "busy", "failed": "bad", "stale": "bad"}


def page(template: str, **context: Any) -> HTMLResponse:
    """A page."""
    return HTMLResponse(fragment(template, **context))


def fragment(template: str, **context: Any) -> str:
    """A part of a page."""
    return _environment.get_template(template).render(**context)


def figure_data(figure: go.Figure) -> dict[str, Any]:
    """A figure as plain JSON: numbers and not packed bytes, which only newer readers understand."""
    return plain_figure(figure)


def _figure(figure: go.Figure | None, name: str, description: str) -> Markup:
    """A figure as an element that the page's script draws; its data cannot end the element early.

    Without a figure the element is empty: the page's script fetches it.
    """
    data = Markup("")
    if figure is not None:
        told = json.dumps(figure_data(figure)).replace("<", "\\u003c")
        data = Markup(f'<script type="application/json">{told}</script>')  # noqa: S704 - escaped here
    return Markup(
        '<div class="figure" id="{name}" role="img" aria-label="{description}">{data}</div>'
    ).format(name=name, description=description, data=data)


def ago(moment: datetime | None) -> Markup:
    """How long ago something was, with the exact time on hover."""
    if moment is None:
        return Markup("–")
    seconds = max(0.0, (datetime.now(UTC) - moment).total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            words = f"{seconds / size:.0f} {unit} ago"
            break
    else:
        words = "just now" if seconds < 5 else f"{seconds:.0f} s ago"
    exact = moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return Markup('<time datetime="{iso}" title="{exact}">{words}</time>').format(
        iso=moment.isoformat(), exact=exact, words=words
    )


def _number(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _signed(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:+.{digits}f}"


def _half_width(value: float | None) -> str:
    return "" if value is None else f"± {value:.3f}"


def _percent(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{100 * value:.{digits}f} %"


def _counted(count: int) -> str:
    """A number that was not counted further than people read it."""
    return f"{count}" if count < MOST_COUNTED else f"{MOST_COUNTED} or more"


def _may(scope: str) -> bool:
    """Whether whoever asks for the page has a scope: nobody is led to what they may not see."""
    caller = current.get()
    return caller is not None and scope in caller.scopes


def _tokens(count: int) -> str:
    for unit, size in (("T", 10**12), ("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return str(count)


def _badge(state: str) -> Markup:
    return Markup('<span class="badge {kind}">{state}</span>').format(
        kind=_STATES.get(state, "calm"), state=state
    )


def _make_environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        ago=ago,
        number=_number,
        signed=_signed,
        half_width=_half_width,
        percent=_percent,
        tokens=_tokens,
        badge=_badge,
        counted=_counted,
        markdown=markdown,
    )
    environment.globals.update(
        figure=_figure,
        guarded_style_ids=guarded_style_ids,
        library_version=library_version,
        prefix=proxies.prefix.get,
        caller=current.get,
        may=_may,
        sparkline=sparkline,
    )
    return environment


_environment = _make_environment()
