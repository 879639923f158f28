"""A run learns what its mixture shows it, counts what it read, and says so when it has come to nothing."""

import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from proxy_training.corpus import Corpus
from proxy_training.spec import TrainResult, TrainSpec
from proxy_training.train import FixedMixture, TrainingDivergedError, learning_rate, train
from tests.support.walks import JUMPS, entropy_rate

HALVES = {"capitals": 0.5, "small": 0.5}


def run(spec: TrainSpec, corpus: Corpus, weights: dict[str, float] = HALVES, *, seed: int = 1) -> TrainResult:
    return train(spec, corpus, FixedMixture(weights, batch=spec.batch, seed=seed), seed=seed)


def shuffled(corpus: Corpus, domain: str, folder: Path) -> Corpus:
    """A copy whose training text of a domain has the same tokens in another order."""
    copy = Corpus.open(shutil.copytree(corpus.folder, folder))
    path = copy.folder / f"{copy.domains.index(domain):04d}.train.bin"
    tokens = np.fromfile(path, dtype=np.uint16)
    np.random.default_rng(0).permutation(tokens).tofile(path)
    return copy


@dataclass
class Listener:
    """A mixture that keeps what it is told."""

    inner: FixedMixture
    recorded: list[tuple[int, list[float], list[int]]] = field(default_factory=list)

    def step(self, step: int, /) -> Sequence[int]:
        return self.inner.step(step)

    def record(self, step: int, *, loss_sums: Sequence[float], token_counts: Sequence[int]) -> None:
        self.recorded.append((step, list(loss_sums), list(token_counts)))


def test_a_run_learns_what_can_be_learnt_and_not_more(tiny: TrainSpec, walks: Corpus) -> None:
    result = run(tiny, walks)
    for index, name in enumerate(walks.domains.names):
        frequencies = np.exp(walks.log_unigram(np.eye(2)[index]).astype(np.float64))
        unigram_entropy = -float(frequencies @ np.log(frequencies))
        # A thousand tokens are scored: their own mean is off the truth by a few hundredths.
        assert entropy_rate(JUMPS[name]) - 0.1 < result.losses[name] < unigram_entropy - 0.5


def test_equal_runs_give_equal_results_and_other_seeds_others(tiny: TrainSpec, walks: Corpus) -> None:
    first, again, other = run(tiny, walks), run(tiny, walks), run(tiny, walks, seed=2)
    assert replace(first, seconds=0.0) == replace(again, seconds=0.0)
    assert all(first.losses[name] != other.losses[name] for name in HALVES)


def test_a_domain_that_is_read_more_is_learnt_better(tiny: TrainSpec, walks: Corpus) -> None:
    mostly = run(tiny, walks, {"capitals": 0.9, "small": 0.1}).losses
    rarely = run(tiny, walks, {"capitals": 0.1, "small": 0.9}).losses
    assert mostly["capitals"] < rarely["capitals"] - 0.1
    assert rarely["small"] < mostly["small"] - 0.1


@pytest.mark.parametrize("weight", [0.25, 0.5, 1.0])
def test_the_result_counts_what_was_read(tiny: TrainSpec, walks: Corpus, weight: float) -> None:
    spec = replace(tiny, tokens=10 * 256 + 255)  # the rest does not fill a step
    result = run(spec, walks, {"capitals": weight, "small": 1 - weight})
    assert result.tokens == sum(result.drawn.values()) == 10 * 256
    assert result.drawn["capitals"] == pytest.approx(2560 * weight, abs=16)
    assert result.model_parameters > 0
    assert result.seconds > 0


def test_a_domain_of_weight_zero_is_never_read(tiny: TrainSpec, walks: Corpus, tmp_path: Path) -> None:
    spec = replace(tiny, tokens=10 * 256)
    weights = {"capitals": 0.0, "small": 1.0}
    first = run(spec, walks, weights)
    assert first.drawn["capitals"] == 0
    unread = run(spec, shuffled(walks, "capitals", tmp_path / "unread"), weights)
    assert unread.losses == first.losses
    read = run(spec, shuffled(walks, "small", tmp_path / "read"), weights)
    assert read.losses["small"] != first.losses["small"]


def test_every_step_is_recorded_by_domain(tiny: TrainSpec, walks: Corpus) -> None:
    spec = replace(tiny, tokens=12 * 256)
    listener = Listener(FixedMixture({"capitals": 0.3, "small": 0.7}, batch=16, seed=1))
    result = train(spec, walks, listener, seed=1)
    assert [step for step, _, _ in listener.recorded] == list(range(12))
    counts = np.array([tokens for _, _, tokens in listener.recorded])
    sums = np.array([losses for _, losses, _ in listener.recorded])
    assert (counts.sum(axis=1) == 256).all()
    assert counts.sum(axis=0).tolist() == [result.drawn[name] for name in walks.domains.names]
    first = sums[0] / counts[0]
    # Before anything is learnt a loss is about that of the frequencies over both domains.
    assert first == pytest.approx(math.log(34), abs=0.3)
    assert (sums[-1] / counts[-1] < first).all()


def test_progress_rises_from_nothing_and_is_told_more_than_once(tiny: TrainSpec, walks: Corpus) -> None:
    told: list[float] = []
    train(tiny, walks, FixedMixture(HALVES, batch=16, seed=1), seed=1, progress=told.append)
    assert len(told) >= 2
    assert told[0] == 0
    assert told == sorted(set(told))
    assert told[-1] < 1


def test_what_the_progress_raises_ends_the_run(tiny: TrainSpec, walks: Corpus) -> None:
    class Enough(Exception):  # noqa: N818 - nothing is wrong
        pass

    def stop(share: float) -> None:
        if share > 0:
            raise Enough

    with pytest.raises(Enough):
        train(tiny, walks, FixedMixture(HALVES, batch=16, seed=1), seed=1, progress=stop)


# A decay of 100 at this rate multiplies the weights by -98 in each step.
ABSURD: dict[str, Any] = {"learning_rate": 0.99, "warmup": 0.0, "weight_decay": 100.0}


@pytest.mark.parametrize("steps", [40, 15])  # seen during training, and at its end
def test_a_run_that_diverges_says_so_and_what_to_lower(tiny: TrainSpec, walks: Corpus, steps: int) -> None:
    spec = replace(tiny, tokens=steps * 256, **ABSURD)
    with pytest.raises(
        TrainingDivergedError,
        match=r"lower the learning rate, which is 0\.99, or the weight decay, which is 100",
    ):
        run(spec, walks)


def test_held_out_text_too_short_to_score_is_told_before_training(tiny: TrainSpec, walks: Corpus) -> None:
    spec = replace(tiny, context=5000, batch=1, tokens=5000, evaluation_tokens=6000)
    listener = Listener(FixedMixture(HALVES, batch=1, seed=1))
    with pytest.raises(ValueError, match=r"'capitals' holds out 4804 .* fewer than one window of 5001"):
        train(spec, walks, listener, seed=1)
    assert not listener.recorded


@pytest.mark.parametrize("decay", ["cosine", "wsd"])
def test_the_learning_rate_warms_up_to_its_peak_and_falls(tiny: TrainSpec, decay: Any) -> None:
    spec = replace(tiny, tokens=1000 * 256, warmup=0.1, decay=decay)
    rates = np.array([learning_rate(spec, step) for step in range(spec.steps)])
    peak = spec.learning_rate
    assert (np.diff(rates[:100]) > 0).all()
    assert rates[99] == rates.max() == pytest.approx(peak)
    assert (np.diff(rates[100:]) <= 0).all()
    assert 0 < rates[-1] < 0.06 * peak
    level = {"cosine": 0.525, "wsd": 1.0}[decay]  # half way down the cosine, which ends above zero
    assert rates[550] == pytest.approx(level * peak)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layers": 0}, "layers is 0"),
        ({"width": 18, "heads": 4}, "width 18 is no multiple of twice the 4 heads"),
        ({"learning_rate": 1.5}, r"learning_rate is 1\.5"),
        ({"learning_rate": math.nan}, "learning_rate is nan"),
        ({"warmup": 1.0}, r"warmup is 1\.0"),
        ({"weight_decay": -0.1}, r"weight_decay is -0\.1"),
        ({"weight_decay": math.nan}, "weight_decay is nan"),
        ({"weight_decay": math.inf}, "weight_decay is inf"),
        ({"evaluation_tokens": 16}, "evaluation_tokens 16 do not fill one context"),
        ({"tokens": 255}, "tokens 255 do not fill one step of 256"),
    ],
)
def test_a_spec_that_cannot_be_trained_is_refused_by_field(
    tiny: TrainSpec, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        replace(tiny, **change)
