"""Predictions at a scale, on the terminal, as JSON and as a table of runs."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from mixwright.offline.cells import inert
from mixwright.offline.scaling import Scaled
from mixwright.showing import say, table

_SHOWN = 10  # mixtures on the terminal; a file has them all
_MOST_TARGETS = 4  # that a terminal has room for
_HARDLY = 1.05  # a factor that is no extrapolation


def tell(scaled: Scaled, console: Console) -> None:
    """Print the test of the law, and what it predicts."""
    if scaled.left_out:
        shown = ", ".join(scaled.left_out[:8]) + (" ..." if len(scaled.left_out) > 8 else "")
        say(
            console,
            f"{len(scaled.left_out)} runs with too few checkpoints or sizes for this law, left out: {shown}",
            style="yellow",
            indent=2,
        )
    if scaled.held_out is not None:
        console.print(table(console, *_test(scaled), total=True))
    say(console, account(scaled))
    console.print()
    console.print(table(console, *_predictions(scaled)))
    more = len(scaled.names) - _SHOWN
    if more > 0:
        say(console, f"and {more} more mixtures: --csv writes them all", style="dim")
    say(console, _verdict(scaled), style="bold")


def account(scaled: Scaled) -> str:
    """What was tested, in words, and how much further the question goes."""
    held_out = scaled.held_out
    if held_out is None:
        return (
            f"the {scaled.law} law could not be tested on scales that it did not see ({scaled.untested}): "
            "its predictions have no interval, and nothing says how far off they are"
        )
    tested = _factors(held_out.size_factor, held_out.token_factor)
    asked = _factors(scaled.size_factor, scaled.token_factor)
    further = scaled.size_factor > _HARDLY * held_out.size_factor
    further |= scaled.token_factor > _HARDLY * held_out.token_factor
    reach = f"asked is {asked}" + (
        ", which is further: the interval is too narrow by an unknown amount" if further else ""
    )
    return (
        f"{scaled.law} law, tested on the last observations of {len(held_out.measured)} runs at {tested}, of "
        f"which it saw nothing; nearest is the error of the nearest observation that it saw, taken as it is. "
        f"{reach[0].upper()}{reach[1:]}"
    )


def to_json(scaled: Scaled) -> dict[str, Any]:
    """The answer for programs."""
    targets, error = scaled.targets, scaled.error
    held_out = None
    if scaled.held_out is not None:
        held_out = {
            "runs": len(scaled.held_out.measured),
            "size_factor": scaled.held_out.size_factor,
            "token_factor": scaled.held_out.token_factor,
            "scores": {
                name: {"mae": mae, "bias": bias, "nearest_mae": nearest}
                for name, mae, bias, nearest in _scores(scaled)
            },
            "error_80": error,
        }
    return {
        "law": scaled.law,
        "model_parameters": scaled.model_parameters,
        "tokens": scaled.tokens,
        "size_factor": scaled.size_factor,
        "token_factor": scaled.token_factor,
        "objective": dict(zip(targets, scaled.coefficients.tolist(), strict=True)),
        "held_out": held_out,
        "untested": scaled.untested or None,
        "left_out": list(scaled.left_out),
        "mixtures": [
            {
                "run": name,
                "weights": scaled.domains.to_mapping(weights),
                "predicted": dict(zip(targets, values.tolist(), strict=True)),
                "objective": float(value),
                "interval": None if error is None else [float(value) - error, float(value) + error],
            }
            for name, weights, values, value in zip(
                scaled.names, scaled.weights, scaled.predicted, scaled.objective, strict=True
            )
        ],
    }


def write_csv(path: Path, scaled: Scaled) -> None:
    """A wide table of runs at the scale, as `mixwright fit` reads it."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        weights = [f"weight_{name}" for name in scaled.domains.names]
        writer.writerow(
            ["run", "model_parameters", "tokens", *weights, *(f"target_{t}" for t in scaled.targets)]
        )
        for name, mixture, values in zip(scaled.names, scaled.weights, scaled.predicted, strict=True):
            numbers = [repr(float(value)) for value in (*mixture, *values)]
            writer.writerow([inert(name), round(scaled.model_parameters), round(scaled.tokens), *numbers])


def _scores(scaled: Scaled) -> list[tuple[str, float, float, float]]:
    """Name, mean absolute error, bias, and error of the nearest observation, the objective last."""
    held_out = scaled.held_out
    if held_out is None:
        return []
    error, nearest = held_out.predicted - held_out.measured, held_out.last - held_out.measured
    both = (np.column_stack([part, part @ scaled.coefficients]) for part in (error, nearest))
    error, nearest = both
    columns = (np.abs(error).mean(axis=0), error.mean(axis=0), np.abs(nearest).mean(axis=0))
    return [
        (name, float(mae), float(bias), float(none))
        for name, mae, bias, none in zip((*scaled.targets, "objective"), *columns, strict=True)
    ]


def _test(scaled: Scaled) -> tuple[list[str], list[list[str]]]:
    rows = [
        [name, f"{mae:.4f}", f"{bias:+.4f}", f"{nearest:.4f}"] for name, mae, bias, nearest in _scores(scaled)
    ]
    return ["target", "error, nats", "bias, nats", "nearest, nats"], rows


def _predictions(scaled: Scaled) -> tuple[list[str], list[list[str]]]:
    named = scaled.targets if len(scaled.targets) <= _MOST_TARGETS else ()
    error = scaled.error
    interval = [] if error is None else ["80 % interval"]
    rows = []
    for name, values, value in list(zip(scaled.names, scaled.predicted, scaled.objective, strict=True))[
        :_SHOWN
    ]:
        around = [] if error is None else [f"{value - error:.4f} to {value + error:.4f}"]
        rows.append([name, f"{value:.4f}", *around, *(f"{values[t]:.4f}" for t in range(len(named)))])
    return ["run of the mixture", "objective, nats", *interval, *named], rows


def _verdict(scaled: Scaled) -> str:
    shares = ", ".join(
        f"{name} {100 * share:.1f} %"
        for name, share in zip(scaled.domains.names, scaled.weights[0], strict=True)
        if share > 0
    )
    best, value = scaled.names[0], scaled.objective[0]
    what = f"{scaled.model_parameters:.3g} parameters after {scaled.tokens:.3g} tokens"
    if len(scaled.names) == 1:
        return f"{what}: {scaled.objective[0]:.4f} nats per token"
    gap = float(scaled.objective[1] - scaled.objective[0])
    unsure = (
        " The next mixture is within the error of the law."
        if scaled.error is not None and gap < scaled.error
        else ""
    )
    return (
        f"{what}: of the mixtures that were run, {best} is best with {value:.4f} nats per token "
        f"({shares}).{unsure}"
    )


def _factors(size: float, tokens: float) -> str:
    parts = [
        f"{size:.3g} times the size" if size != 1 else "",
        f"{tokens:.3g} times the tokens" if tokens != 1 else "",
    ]
    return " and ".join(part for part in parts if part) or "no further than was observed"
