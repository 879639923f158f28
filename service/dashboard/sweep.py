"""A sweep: its mixtures, how far it is, what failed, and chosen runs side by side."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from pydantic import Field
from sqlalchemy.orm import Session

from mixlaws.figures.matrix import MOST_AXES
from service.dashboard.chosen_runs import MOST_CHOSEN, chosen_runs
from service.dashboard.mixture_views import matrix_view, mixture_view
from service.dashboard.rendering import page
from service.dashboard.runs_table import STATES, RunsAsked, coefficients, runs_table
from service.db import SessionDep
from service.errors import NotFoundError
from service.models import Study, Sweep
from service.runs import table_repository
from service.runs.table_repository import Some, State
from service.schemas import MOST_DOMAINS, Text
from service.scopes import Principal, Scope, needs
from service.studies import service as studies
from service.sweeps import service
from service.sweeps.remaining import remaining

router = APIRouter()

OBJECTIVE = "objective"
_MOST_TROUBLED = 20  # of each kind; the table below lists them all
_FEWEST_AXES, _USUAL_AXES = 2, 4  # of a scatter matrix, beside the value
_TROUBLES: tuple[State, ...] = ("stale", "failed", "invalid")


class SweepAsked(RunsAsked):
    """What the address of a sweep's page asks for.

    Args:
        view: lines over all domains, the triangle of three, or the scatter matrix of some.
        a: corner of the triangle; likewise b and c.
        share: domains of the matrix.
        loss: targets of the matrix.
        value: target that colours mixtures and is drawn as curves; empty for the objective.
        run: runs that are compared.
    """

    view: Literal["lines", "triangle", "matrix"] = "lines"
    a: Text = ""
    b: Text = ""
    c: Text = ""
    share: list[Text] = Field(default=[], max_length=MOST_DOMAINS)
    loss: list[Text] = Field(default=[], max_length=MOST_DOMAINS)
    value: Text = ""
    run: list[UUID] = Field(default=[], max_length=200)


@router.get("/studies/{study}/sweeps/{sweep_id}")
def show_sweep(
    study: str,
    sweep_id: UUID,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_READ)],
    asked: Annotated[SweepAsked, Query()],
) -> HTMLResponse:
    """A sweep with its figures and its runs."""
    sweep, owner = service.get(session, caller.project_id, sweep_id)
    if owner.name != study:
        raise NotFoundError(f"study {study!r} has no sweep {sweep_id}: it is one of {owner.name!r}")
    definition = studies.definition(owner)
    names, targets = [domain.name for domain in definition.domains], definition.targets or []
    measure = {asked.value: 1.0} if asked.value in targets else coefficients(owner)
    value_name = asked.value if asked.value in targets else OBJECTIVE
    some = Some(owner.id, sweep_id=sweep.id)
    corners, axes = _corners(names, asked), _axes(names, targets, asked, value_name)
    if axes is None:
        view = mixture_view(session, names, some, measure, corners=corners, value_name=value_name)
    else:
        shares, losses = axes
        view = matrix_view(session, names, some, measure, shares=shares, losses=losses, value_name=value_name)
    return page(
        "sweep.html",
        study=study,
        sweep=service.shown(session, [sweep], owner)[0],
        left=(left := remaining(session, sweep)),
        time_left=None if left.seconds is None else _duration(left.seconds),
        names=names,
        targets=targets,
        value_name=value_name,
        asked=asked,
        corners=corners or names[:3],
        axes=axes,
        most_axes=MOST_AXES - 1,
        wrong_corners=asked.view == "triangle" and corners is None,
        mixtures=view,
        troubles=_troubles(session, owner, sweep),
        chosen=chosen_runs(session, sweep, owner, asked.run, measure, value_name=value_name),
        most_chosen=MOST_CHOSEN,
        table=(table := runs_table(session, owner, asked, sweep_id=sweep.id)),
        selected=asked.run,
        elsewhere=[run for run in asked.run if run not in table.objectives],
        states=STATES,
        purposes=None,
    )


def _corners(names: Sequence[str], asked: SweepAsked) -> list[str] | None:
    """Three different domains for a triangle; None for lines."""
    if len(names) == 3:
        return list(names)
    wanted = [name for name in (asked.a, asked.b, asked.c) if name in names]
    return wanted if asked.view == "triangle" and len(set(wanted)) == 3 else None


def _axes(
    names: Sequence[str], targets: Sequence[str], asked: SweepAsked, value_name: str
) -> tuple[list[str], list[str]] | None:
    """Domains and targets of a scatter matrix, as many as it can show; None for another figure."""
    if asked.view != "matrix":
        return None
    shares = [name for name in names if name in asked.share]
    losses = [name for name in targets if name in asked.loss and name != value_name]
    if len(shares) + len(losses) < _FEWEST_AXES:
        return list(names[:_USUAL_AXES]), losses[:1]
    shares = shares[: MOST_AXES - 1]
    return shares, losses[: MOST_AXES - 1 - len(shares)]


def _troubles(session: Session, study: Study, sweep: Sweep) -> list[dict[str, Any]]:
    """Runs that need a look, by what befell them, the last ones first."""
    found: list[dict[str, Any]] = []
    for state in _TROUBLES:
        some = Some(study.id, sweep_id=sweep.id, state=state)
        rows = table_repository.rows(
            session, some, {}, order="finished", falling=True, limit=_MOST_TROUBLED, offset=0
        )
        if rows:
            total = table_repository.count(session, some)
            found.append({"state": state, "runs": [row[0] for row in rows], "total": total})
    return found


def _duration(seconds: float) -> str:
    """A time in words, as exact as a forecast can be."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86_400:.1f} days"
