"""Figures go to pages as numbers that can be read and saved, whatever they were made of."""

import json

import numpy as np
import plotly.graph_objects as go

from service.dashboard.rendering import figure_data


def test_arrays_arrive_as_numbers_of_their_shape_and_what_is_not_finite_as_null() -> None:
    grid = np.array([[1.5, np.nan], [np.inf, -4.0]])
    figure = go.Figure([go.Heatmap(z=grid), go.Scatter(x=np.arange(3), y=[1.0, None, 2.0], name="a")])
    heat, line = figure_data(figure)["data"]
    assert heat["z"] == [[1.5, None], [None, -4.0]]
    assert (line["x"], line["y"], line["name"]) == ([0, 1, 2], [1.0, None, 2.0], "a")
    third = figure_data(go.Figure(go.Scatter(y=np.array([1 / 3]))))["data"][0]["y"]
    assert third == [0.333333333]
    assert "bdata" not in json.dumps(figure_data(figure), allow_nan=False)
