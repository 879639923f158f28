"""The page that the type of every problem document leads to."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from service.dashboard.rendering import page
from service.problem_catalogue import KINDS, PAGE

router = APIRouter()


@router.get(PAGE)
async def show_problems() -> HTMLResponse:
    """Every kind of problem, and what to do about it."""
    return page("problems.html", kinds=dict(sorted(KINDS.items())))
