"""Plotly figures as pure functions of arrays: the same on the dashboard and in notebooks."""
