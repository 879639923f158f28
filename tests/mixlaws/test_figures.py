"""Figures: readable, of any size, and harmless whatever their names hold."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from mixlaws.figures.calibration import calibration
from mixlaws.figures.confirmation import confirmation
from mixlaws.figures.curves import curves
from mixlaws.figures.effects import effects
from mixlaws.figures.exploration import exploration
from mixlaws.figures.front import front
from mixlaws.figures.history import Change, Fork, add_changes, add_forks
from mixlaws.figures.losses import losses
from mixlaws.figures.matrix import matrix
from mixlaws.figures.mixtures import mixtures
from mixlaws.figures.prediction import objective_prediction, prediction
from mixlaws.figures.proposal import proposal
from mixlaws.figures.regret import regret
from mixlaws.figures.residuals import residuals
from mixlaws.figures.response import response
from mixlaws.figures.schedule import schedule
from mixlaws.figures.shares import shares
from mixlaws.figures.style import ACCENT, colours, shown
from mixlaws.figures.triangle import triangle

Names = list[str]
UNITS = ("nats per token", "optimiser step", "share of", "domain", "mixture", "target", "runs")
HOSTILE = ["<script>alert(1)</script>", '<a href="javascript:alert(1)">x</a>', "a & b", "%{y}", "2024", "雪"]


def simplex(runs: int, domains: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.random.default_rng(runs + domains).dirichlet(np.ones(domains), size=runs)


def draw_mixtures(names: Names, runs: int) -> go.Figure:
    values = np.linspace(3.0, 3.5, runs)
    values[1:2] = np.nan  # a run that is not finished
    return mixtures(names, simplex(runs, len(names)), values)


def draw_matrix(names: Names, runs: int) -> go.Figure:
    values = np.linspace(3.0, 3.5, runs)
    values[1:2] = np.nan
    some = names[:3]
    shares, measured = simplex(runs, len(names))[:, : len(some)], np.tile(values[:, None], (1, 2))
    return matrix(some, shares, names[:2], measured, values, value_name=names[-1])


def draw_front(names: Names, runs: int) -> go.Figure:
    found = 3 + simplex(runs, 2)
    widths = np.full((runs, 2), 0.02)
    widths[0, 0] = np.nan
    others = {name: np.array([[3.4, 3.5], [0.1, np.nan]]) for name in names}
    return front(names[:2], found, widths, others, labels=(names * runs)[:runs])


def draw_unfinished(names: Names, runs: int) -> go.Figure:
    return mixtures(names, simplex(runs, len(names)))


def draw_curves(names: Names, runs: int) -> go.Figure:
    steps = [np.arange(place + 1.0) for place in range(min(runs, 8))]
    values = [3 + 1 / (1 + at) for at in steps]
    return curves((names * runs)[: len(steps)], steps, values, value_name=names[-1])


def draw_prediction(names: Names, runs: int) -> go.Figure:
    measured = 3 + simplex(runs, len(names))
    return prediction(names, measured, measured + 0.01, labels=(names * runs)[:runs])


def draw_objective(names: Names, runs: int) -> go.Figure:
    measured = np.linspace(3.0, 3.5, runs)
    return objective_prediction(measured, measured + 0.01, noise=0.02, labels=(names * runs)[:runs])


def draw_proposal(names: Names, runs: int) -> go.Figure:
    weights = [dict(zip(names, row.tolist(), strict=True)) for row in simplex(min(runs, 4), len(names))]
    return proposal(names, dict(zip(["proposal", *names], weights, strict=False)))


def draw_confirmation(names: Names, runs: int) -> go.Figure:
    seeds = {name: [3.0 + i for i in range(runs)] for name in names}
    return confirmation(seeds, reference=names[0], noise=0.02)


def draw_schedule(names: Names, runs: int) -> go.Figure:
    steps = list(range(0, 10 * runs, 10))
    return schedule(names, steps, simplex(runs, len(names)), end=10 * runs, reported=5)


def draw_losses(names: Names, runs: int) -> go.Figure:
    values = 3 + simplex(runs, len(names))
    values[0, 0], values[0, 1] = np.nan, np.inf
    return losses(names, list(range(9, 10 * runs, 10)), values)


def draw_history(names: Names, runs: int) -> go.Figure:
    steps = range(0, 10 * runs, 10)
    reasons = itertools.cycle(["odm", *names])
    changes = [Change(at + 1, step, next(reasons)) for at, step in enumerate(steps)]
    forks = [Fork(1, 0, 5), Fork(2, 3, 2), Fork(3, 2, 10 * runs)]
    return add_forks(add_changes(draw_schedule(names, runs), changes), forks)


def draw_shares(names: Names, runs: int) -> go.Figure:
    realised = simplex(runs, len(names))[0]
    return shares(names, realised.tolist(), [None, *realised[1:].tolist()])


def draw_response(names: Names, runs: int) -> go.Figure:
    shares = np.linspace(0.0, 0.8, 9)
    objective = 3 + (shares - 0.3) ** 2
    band = np.stack([objective - 0.1, objective + 0.1])
    return response(names[0], shares, objective, band, base=0.2, sampled=np.linspace(0, 0.8, runs))


def draw_effects(names: Names, runs: int) -> go.Figure:
    changes = simplex(len(names), min(runs, 4)) - 0.3
    changes[0, 0] = np.nan
    return effects(names, [f"{names[0]} {t}" for t in range(changes.shape[1])], changes)


def draw_regret(names: Names, runs: int) -> go.Figure:  # noqa: ARG001 - it shows no names
    sizes = np.array([10.0, 20.0, 40.0])
    curve = 1 / sizes
    band = np.stack([curve / 2, curve * 2])
    return regret(sizes, curve * 1.1, sizes, curve, band, there_are=runs + 20, within=0.01)


def draw_exploration(names: Names, runs: int) -> go.Figure:
    predicted = 3 + simplex(3, len(names))
    widths = None if runs == 1 else np.full(len(names), 0.05)
    return exploration(names, {name: (row, widths) for name, row in zip("abc", predicted, strict=True)})


def draw_residuals(names: Names, runs: int) -> go.Figure:
    predicted = np.linspace(3.0, 3.5, runs)
    return residuals(predicted, predicted + 0.01, noise=0.02, labels=(names * runs)[:runs])


def draw_calibration(names: Names, runs: int) -> go.Figure:  # noqa: ARG001 - it shows no names
    levels = np.linspace(0.1, 0.9, 9)
    chance = np.stack([levels - 0.3 / np.sqrt(runs), levels + 0.3 / np.sqrt(runs)])
    return calibration(levels, levels**2, chance)


DRAWN = [
    draw_mixtures, draw_unfinished, draw_prediction, draw_objective, draw_proposal, draw_confirmation,
    draw_schedule, draw_history, draw_shares, draw_losses, draw_curves, draw_response, draw_effects,
    draw_regret, draw_matrix, draw_front, draw_exploration, draw_residuals, draw_calibration,
]  # fmt: skip
EVERY = pytest.mark.parametrize("draw", DRAWN, ids=lambda draw: draw.__name__.removeprefix("draw_"))


def as_json(figure: go.Figure) -> dict[str, Any]:
    """What a browser reads, which knows neither NaN nor Infinity."""

    def refuse(token: str) -> None:
        raise AssertionError(f"{token} is no JSON")

    read: dict[str, Any] = json.loads(figure.to_json(), parse_constant=refuse)
    return read


@EVERY
@pytest.mark.parametrize(("domains", "runs"), [(2, 1), (3, 1), (3, 40), (50, 1), (50, 300)])
def test_every_figure_of_any_size_is_plain_json(
    draw: Callable[[Names, int], go.Figure], domains: int, runs: int
) -> None:
    figure = as_json(draw([f"domain {i}" for i in range(domains)], runs))
    assert figure["data"]
    assert len(json.dumps(figure)) < 1_000_000  # a page holds several


@EVERY
@pytest.mark.parametrize("domains", [2, 3])
def test_every_axis_says_what_it_shows_and_in_which_unit(
    draw: Callable[[Names, int], go.Figure], domains: int
) -> None:
    figure = draw([f"domain {i}" for i in range(domains)], 4)
    if any(trace.type == "scatterternary" for trace in figure.data):
        axes = [figure.layout.ternary[f"{corner}axis"] for corner in "abc"]
        assert [axis.title.text for axis in axes] == [f"domain {i}, share" for i in range(3)]
        assert {axis.tickformat for axis in axes} == {".0%"}
        return
    for axis in (figure.layout.xaxis, figure.layout.yaxis):
        assert any(unit in axis.title.text for unit in UNITS), axis.title.text


@EVERY
def test_a_name_is_no_markup_and_no_template(draw: Callable[[Names, int], go.Figure]) -> None:
    for names in (HOSTILE, HOSTILE[:3]):  # three domains are drawn as a triangle
        text = json.dumps(as_json(draw(names, 6)), ensure_ascii=False)
        own_markup = text.replace("<extra>", "").replace("</extra>", "").replace("<br>", "")
        assert "<" not in own_markup
        assert "%{y}</extra>" not in text


@pytest.mark.parametrize(("draw", "axis"), [
    (draw_mixtures, "xaxis"), (draw_proposal, "xaxis"), (draw_confirmation, "yaxis"),
    (draw_exploration, "yaxis"),
])  # fmt: skip
def test_names_that_read_like_numbers_or_dates_stay_names(
    draw: Callable[[Names, int], go.Figure], axis: str
) -> None:
    assert draw(["2023", "2024", "2024-01", "1e3"], 2).layout[axis].type == "category"


def test_a_domain_has_the_same_colour_in_every_figure() -> None:
    names = ["web", "code", "law", "news"]
    wanted = colours(names)
    assert len(set(wanted.values())) == 4
    for draw in (draw_schedule, draw_losses):
        assert {trace.name: trace.line.color for trace in draw(names, 5).data} == wanted
    points = {trace.name: trace.marker.color for trace in draw_prediction(names, 5).data if trace.name}
    assert points == wanted


def test_a_domain_keeps_its_colour_when_others_come_after_it() -> None:
    few, many = colours([f"domain {i}" for i in range(5)]), colours([f"domain {i}" for i in range(50)])
    assert few.items() <= many.items()
    assert len(set(many.values())) == 24


def test_the_names_that_a_figure_shows_read_as_they_were_given() -> None:
    assert shown("web/2024 high-quality") == "web/2024 high-quality"
    assert shown("<b>&") == "&lt;b&gt;&amp;"


def test_a_triangle_has_the_runs_at_the_places_of_their_mixtures() -> None:
    weights = np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
    open_runs, finished = mixtures(["a", "b", "c"], weights, np.array([3.1, np.nan])).data
    assert [open_runs.a[0], open_runs.b[0], open_runs.c[0]] == [1.0, 0.0, 0.0]
    assert [finished.a[0], finished.b[0], finished.c[0]] == pytest.approx([0.2, 0.3, 0.5])
    assert finished.marker.colorbar.title.text == "objective, nats per token"


def test_a_triangle_of_three_among_many_shows_parts_of_the_three_and_how_much_they_hold() -> None:
    weights = np.array([[0.4, 0.2, 0.4, 0.0], [0.1, 0.0, 0.1, 0.8], [0.0, 1.0, 0.0, 0.0]])
    values = np.array([3.1, 3.2, 3.0])
    (drawn,) = triangle(["a", "b", "c", "d"], weights, values, corners=["d", "a", "c"]).data
    places = list(zip(drawn.a, drawn.b, drawn.c, strict=True))
    assert places == [(0.0, 0.5, 0.5), (0.8, 0.1, 0.1)], "who holds none of the three has no place"
    assert list(drawn.customdata) == pytest.approx([0.8, 1.0])
    assert drawn.marker.size[0] < drawn.marker.size[1]
    assert list(drawn.marker.color) == [3.1, 3.2]


def test_a_scatter_matrix_has_every_pair_once_and_one_scale_of_colours() -> None:
    shares = np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.1]])
    values = np.array([3.2, np.nan, 3.0])
    figure = matrix(["a", "b"], shares, ["t"], np.array([[1.0], [np.nan], [2.0]]), values)
    known = [trace for trace in figure.data if trace.marker.coloraxis]
    assert {(trace.xaxis, trace.yaxis) for trace in known} == {
        ("x", "y"), ("x", "y2"), ("x", "y3"), ("x2", "y2"), ("x2", "y3"), ("x3", "y3"),
    }  # fmt: skip
    assert {tuple(trace.marker.color) for trace in known} == {(3.2, 3.0)}, "the best lies on top"
    (unfinished,) = [trace for trace in figure.data if not trace.marker.coloraxis]
    assert (list(unfinished.x), list(unfinished.y)) == ([0.3], [0.4]), "it has shares, and no losses"
    texts = [figure.layout[axis].title.text for axis in ("xaxis", "xaxis2", "xaxis3", "yaxis2", "yaxis3")]
    loss = "<br>nats per token"
    assert texts == ["a<br>share", "b<br>share", f"t{loss}", f"t{loss}", f"objective{loss}"]


def test_a_front_joins_the_mixtures_that_none_beats_and_no_other() -> None:
    found = np.array([[2.0, 3.0], [3.0, 2.0], [2.5, 2.9], [2.9, 2.9]])
    widths = np.full((4, 2), np.nan)
    widths[:, 0] = 0.1
    prior = np.array([[4.0, 4.0], [0.2, 0.3]])
    beaten, line, mark = front(["a", "b"], found, widths, {"prior": prior}, labels=list("wxyz")).data
    assert (list(line.x), list(line.text)) == ([2.0, 2.5, 3.0], ["w", "y", "x"])
    assert list(beaten.x) == [2.9]
    assert line.error_x.visible
    assert not line.error_y.visible, "no interval where none is known"
    assert (mark.name, mark.x[0], mark.error_y.array[0]) == ("prior", 4.0, 0.3)


def test_curves_of_runs_of_one_name_are_told_apart() -> None:
    figure = curves(
        ["a", "a"], [np.array([1.0, 2.0]), np.array([5.0])], [np.ones(2), np.ones(1)], value_name="web"
    )
    assert len({line.line.color for line in figure.data}) == 2
    assert [list(line.x) for line in figure.data] == [[1, 2], [5]]
    assert figure.layout.yaxis.title.text == "web, nats per token"


def test_the_best_mixture_lies_on_top_and_one_that_is_not_finished_below() -> None:
    weights = np.array([[0.1, 0.9], [0.2, 0.8], [0.3, 0.7]])
    lines = [
        t for t in mixtures(["a", "b"], weights, np.array([3.0, np.nan, 4.0])).data if t.x[0] is not None
    ]
    assert [line.y[0] for line in lines] == [0.2, 0.3, 0.1]


def test_losses_that_were_not_measured_have_no_point() -> None:
    values = np.array([[2.0, 0.9], [np.nan, np.inf], [3.0, np.nan]])
    first, second = losses(["a", "b"], [9, 19, 29], values).data
    assert list(zip(first.x, first.y, strict=True)) == [(9, 2.0), (29, 3.0)]
    assert list(zip(second.x, second.y, strict=True)) == [(9, 0.9)]


def test_a_curve_of_a_hundred_thousand_reports_keeps_its_ends_and_its_spikes() -> None:
    steps = np.arange(9, 1_000_000, 10)
    values = 3 + np.sin(steps / 90_000)[:, None] + np.random.default_rng(0).normal(0, 0.02, (len(steps), 1))
    values[61_803, 0], values[31_415, 0] = 9.0, 0.5
    (line,) = losses(["a"], steps, values).data
    assert len(line.x) <= 600
    assert [line.x[0], line.x[-1]] == [steps[0], steps[-1]]
    drawn = dict(zip(line.x, line.y, strict=True))
    assert drawn[int(steps[61_803])] == 9.0
    assert drawn[int(steps[31_415])] == 0.5
    between = np.interp(steps, line.x, line.y)
    assert np.median(np.abs(between - values[:, 0])) < 0.05, "the rest looks as it did"


@pytest.mark.parametrize("domains", [2, 30, 200])
def test_a_schedule_of_many_versions_is_small_and_still_a_schedule(domains: int) -> None:
    steps = list(range(0, 80_000, 10))
    weights = 0.9 / domains + 0.1 * simplex(len(steps), domains)
    weights[5_000] = np.eye(domains)[0]  # one stage of one domain alone
    figure = schedule([f"domain {i}" for i in range(domains)], steps, weights, end=90_000)
    points = [len(trace.x) for trace in figure.data]
    assert max(points) <= 600
    assert sum(points) <= 15_000
    assert {tuple(trace.x) for trace in figure.data} == {figure.data[0].x}, "areas are stacked point by point"
    drawn = np.array([trace.y for trace in figure.data])
    assert drawn.sum(axis=0) == pytest.approx(np.ones(points[0]), abs=0.01)
    assert drawn[0].max() == 1.0
    assert [figure.data[0].x[0], figure.data[0].x[-1]] == [0, 90_000]


def test_every_version_that_somebody_else_chose_is_marked_however_many_there_are() -> None:
    reasons = ["odm"] * 5_000
    reasons[1_234] = "pinned: <b>law</b> was bad"
    changes = [Change(at + 1, 10 * at, reason) for at, reason in enumerate(reasons)]
    figure = add_changes(schedule(["a"], [0], np.ones((1, 1)), end=50_000), changes)
    marks = figure.data[-1]
    assert len(marks.x) <= 600
    at = list(marks.x).index(12_340)
    assert marks.text[at] == "version 1235: pinned: &lt;b&gt;law&lt;/b&gt; was bad"
    assert marks.marker.symbol[at] == "diamond"


def test_an_attempt_leaves_the_one_before_it_at_its_checkpoint() -> None:
    figure = schedule(["a"], [0], np.ones((1, 1)), end=500)
    add_forks(add_changes(figure, [Change(1, 0, "prior")]), [Fork(1, 0, 390), Fork(2, 200, 320)])
    first, second = (trace for trace in figure.data if str(trace.name).startswith("attempt"))
    assert (list(first.x), list(first.y)) == ([0, 0, 390], [0, 0, 0])
    assert (list(second.x), list(second.y)) == ([200, 200, 320], [0, 1, 1])
    lanes, areas, marks = (figure.layout[axis].domain for axis in ("yaxis3", "yaxis", "yaxis2"))
    assert 0 == lanes[0] < lanes[1] < areas[0] < areas[1] < marks[0] < marks[1] == 1


def test_a_job_without_reports_has_an_empty_figure() -> None:
    figure = losses(["a", "b"], [], np.empty((0, 2)))
    assert [len(line.x) for line in figure.data] == [0, 0]
    bars, ticks = shares(["a", "b"], [None, None], [None, None]).data
    assert list(bars.x) == list(ticks.x) == [None, None]


def test_a_schedule_is_drawn_to_its_end_and_marks_what_was_reported() -> None:
    weights = np.array([[0.5, 0.5], [0.8, 0.2]])
    figure = schedule(["a", "b"], [0, 40], weights, end=100, reported=60)
    assert list(figure.data[0].x) == [0, 40, 100]
    assert list(figure.data[0].y) == [0.5, 0.8, 0.8]
    assert [line.x0 for line in figure.layout.shapes] == [60]
    assert not schedule(["a", "b"], [0, 40], weights, end=100, reported=-1).layout.shapes


def test_predictions_without_labels_do_not_speak_of_them() -> None:
    values = np.array([[3.0, 3.1]])
    without = [prediction(["a", "b"], values, values), objective_prediction(values[0], values[0], noise=None)]
    for trace in itertools.chain.from_iterable(figure.data for figure in without):
        assert "%{text}" not in (trace.hovertemplate or "")


def test_the_proposal_stands_out_from_what_it_is_compared_with() -> None:
    first, *others = draw_proposal(["a", "b"], 3).data
    assert first.marker.color == ACCENT
    assert ACCENT not in {bar.marker.color for bar in others}


def test_confirmations_are_differences_to_the_mean_of_the_reference() -> None:
    figure = confirmation({"natural": [3.0, 3.2], "chosen": [2.9]}, reference="natural", noise=None)
    seeds = {trace.y[0]: list(trace.x) for trace in figure.data if trace.marker.size == 8}
    assert seeds == {"natural": pytest.approx([-0.1, 0.1]), "chosen": pytest.approx([-0.2])}
