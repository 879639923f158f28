"""Figures of several studies or jobs: what is compared can be told apart, and a domain keeps its colour."""

import numpy as np

from mixlaws.figures.comparison import Course, best_so_far, losses_of_jobs, weights_of_jobs
from mixlaws.figures.style import colours

NASTY = "<b>x</b> %{y}"
FIRST = Course(("web", "code"), (0, 40), np.array([[0.7, 0.3], [0.4, 0.6]]), 90)
SECOND = Course(("web", "code", NASTY), (0,), np.array([[0.5, 0.25, 0.25]]), 60)


def test_a_domain_has_one_colour_in_all_jobs_and_a_job_one_dash_in_all_domains() -> None:
    figure = weights_of_jobs({"a": FIRST, "b": SECOND})
    drawn = [line for line in figure.data if line.x != (None,)]
    assert len(drawn) == 5
    for domain, colour in colours(["web", "code"]).items():
        assert {line.line.color for line in drawn if line.name == domain} == {colour}
    by_job = {line.line.dash: sum(line.line.dash == other.line.dash for other in drawn) for line in drawn}
    assert sorted(by_job.values()) == [2, 3]
    told = {line.name: line.line.dash for line in figure.data if line.x == (None,)}
    assert set(told) == {"a", "b"}
    assert set(told.values()) == set(by_job), "the legend says which dash is which job"
    named = [line.name for line in figure.data if line.showlegend is not False]
    assert len(named) == len(set(named)), "nothing is named twice"


def test_weights_hold_until_the_end_of_each_job() -> None:
    figure = weights_of_jobs({"a": FIRST, "b": SECOND})
    web = [line for line in figure.data if line.name == "web"]
    assert [(list(line.x), list(line.y)) for line in web] == [
        ([0, 40, 90], [0.7, 0.4, 0.4]),
        ([0, 60], [0.5, 0.5]),
    ]


def test_names_stay_text() -> None:
    figures = (
        weights_of_jobs({NASTY: SECOND}),
        losses_of_jobs({NASTY: [(9, 2.5)]}),
        best_so_far({NASTY: [3.0, 2.5]}),
    )
    for figure in figures:
        for line in figure.data:
            assert "<b>" not in line.name
            assert "%{y} " not in (line.hovertemplate or "")
            assert "%{y}" not in line.name
