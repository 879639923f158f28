"""`mixwright scale`: a known law is carried on, with an honest word on how sure that is."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from tests.mixwright.commands import Command

SIZES = {"10M": 1e7, "30M": 3e7, "100M": 1e8, "300M": 3e8}
STEPS = (1000, 2000, 3000, 4000, 6000, 8000)
BATCH = 1_000_000


def truth(web: float, size: float, tokens: float) -> dict[str, float]:
    level = 1.5 + 40 * size**-0.3 + 4000 * tokens**-0.4
    return {"web": level + np.exp(-2 - 2 * web), "code": level + np.exp(-2 - 2 * (1 - web))}


def curves(
    path: Path, *, sizes: tuple[str, ...] = tuple(SIZES), tokens: bool = True, noise: float = 0.0
) -> Path:
    """A tidy table of six mixtures at several sizes and steps."""
    rng = np.random.default_rng(0)
    header = ["size", "mixture_id", "step", "validation_domain", "loss", "weight_web", "weight_code"]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*header, *(["tokens"] if tokens else [])])
        for size in sizes:
            for mixture, web in enumerate((0.1, 0.25, 0.4, 0.6, 0.75, 0.9)):
                for step in STEPS:
                    for name, loss in truth(web, SIZES[size], step * BATCH).items():
                        seen = loss + noise * rng.standard_normal()
                        cells = [size, f"mix {mixture}", step, name, repr(float(seen)), web, 1 - web]
                        writer.writerow([*cells, *([step * BATCH] if tokens else [])])
    return path


def test_a_truth_is_predicted_at_a_size_and_length_that_were_never_run(
    command: Command, tmp_path: Path
) -> None:
    table = curves(tmp_path / "curves.csv", noise=0.0005)
    done = command("scale", str(table), "--size", "1B", "--tokens", "16B", "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert (found["law"], found["import"]["findings"]) == ("nested", {})
    assert found["held_out"]["size_factor"] == pytest.approx(3)
    assert found["held_out"]["token_factor"] == pytest.approx(2)
    assert found["held_out"]["scores"]["objective"]["mae"] < 0.02
    assert len(found["mixtures"]) == 6
    for mixture in found["mixtures"]:
        real = truth(mixture["weights"]["web"], 1e9, 16e9)
        assert mixture["predicted"] == pytest.approx(real, abs=0.05)
        assert mixture["interval"][0] < mixture["objective"] < mixture["interval"][1]
    objectives = [mixture["objective"] for mixture in found["mixtures"]]
    assert objectives == sorted(objectives)


def test_what_is_predicted_can_be_fitted(command: Command, tmp_path: Path) -> None:
    table, out = curves(tmp_path / "curves.csv"), tmp_path / "large.csv"
    done = command("scale", str(table), "--size", "1e9", "--tokens", "16e9", "--csv", str(out))
    assert done.code == 0, done.err
    assert "error, nats" in done.out
    fitted = json.loads(command("fit", str(out), "--method", "linear", "--json").out)
    assert (fitted["runs"], fitted["targets"]) == (6, ["web", "code"])


def test_the_step_law_answers_at_a_size_that_was_run_and_needs_no_other(
    command: Command, tmp_path: Path
) -> None:
    table = curves(tmp_path / "curves.csv", sizes=("30M",), tokens=False)
    refused = command("scale", str(table), "--tokens", "16B")
    assert "give --batch-tokens, the tokens of an optimiser step" in refused.sentence
    found = json.loads(
        command("scale", str(table), "--tokens", "16B", "--batch-tokens", str(BATCH), "--json").out
    )
    assert (found["law"], found["model_parameters"]) == ("step", 3e7)
    real = truth(found["mixtures"][0]["weights"]["web"], 3e7, 16e9)
    assert found["mixtures"][0]["predicted"] == pytest.approx(real, abs=0.01)


def test_runs_with_one_checkpoint_are_left_out_of_curves_and_told(command: Command, tmp_path: Path) -> None:
    table = curves(tmp_path / "curves.csv", sizes=("10M", "30M"))
    lines = table.read_text(encoding="utf-8").splitlines()
    short = [line for line in lines if not line.startswith("30M") or ",8000," in line]
    table.write_text("\n".join(short), encoding="utf-8")
    found = json.loads(command("scale", str(table), "--tokens", "16B", "--json").out)
    assert found["model_parameters"] == 1e7
    assert found["left_out"] == [f"mix {number} of 3e+07" for number in range(6)]
    assert "6 runs with too few checkpoints" in command("scale", str(table), "--tokens", "16B").out


def test_a_law_that_cannot_be_tested_says_so_and_gives_no_interval(command: Command, tmp_path: Path) -> None:
    table = curves(tmp_path / "curves.csv", sizes=("10M", "30M"))
    words = ("scale", str(table), "--size", "1B", "--law", "size", "--set", "exponent=0.3")
    found = json.loads(command(*words, "--json").out)
    assert found["held_out"] is None
    assert {mixture["interval"] for mixture in found["mixtures"]} == {None}
    assert "could not be tested" in command(*words).out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "give --size, --tokens or both"),
        (("--size", "big"), "'big' is no number of parameters: write 6000000000, 6e9 or 6B"),
        (("--size", "1B", "--law", "nest"), "unknown scaling law 'nest': did you mean 'nested'?"),
        (("--size", "1B", "--law", "step"), "a step law knows nothing of other sizes"),
        (("--tokens", "16B", "--target", "wbe"), "unknown target 'wbe'"),
        (("--tokens", "16B", "--warmup", "1T"), "no observation has 1e+12 tokens"),
        (("--tokens", "16B", "--csv", "absent/out.csv"), "there is no folder absent"),
    ],
)
def test_wrong_words_are_told_with_what_to_do(
    command: Command, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    assert message in command("scale", str(curves(tmp_path / "curves.csv")), *words).sentence
