"""How large the demo is.

Sizes follow a measured first experiment: under a hundred thousand parameters and 300,000 tokens a run
learns enough in some ten seconds for mixtures to differ, since optimiser steps are what is scarce (short
contexts, small batches, a high rate, and an output bias that starts at token frequencies).
"""

from dataclasses import dataclass, replace

from proxy_training.spec import TrainSpec

PROXY = TrainSpec(tokens=300_000, width=32, layers=2, heads=2, hidden=96, learning_rate=1e-2)
TARGET = TrainSpec(
    tokens=500_000,
    width=80,
    layers=3,
    heads=2,
    hidden=216,
    learning_rate=7e-3,
    split="test",
    evaluation_tokens=24_576,
)


@dataclass(frozen=True)
class Plan:
    """Sizes of a demo.

    Args:
        proxy: the proxy runs.
        target: the larger runs that confirm the proposal, on text that no proxy was scored on.
        designed: proxy runs over designed mixtures.
        repeats: further seeds of the uniform proxy run, which show the noise.
        seeds: runs of each confirmed mixture.
        noise_seeds: runs of the natural mixture, if more are wanted there.
        methods: what to fit; the first proposes the mixture that is trained, the others show what they think.
        kl: weight of the distance to the natural mixture in a proposal. Four times the proposer's default:
            proxies make two thirds of the optimiser steps of a target, and what a mixture gains at that
            scale shrinks with further training.
        folds: parts of the cross-validation.
        lead_steps: steps between a report and the weights that follow from it.
        megabytes: text of each domain, in millions of bytes.
        vocabulary: tokens of the tokeniser.
        processes: runs that are trained at once.
    """

    proxy: TrainSpec = PROXY
    target: TrainSpec = TARGET
    designed: int = 34
    repeats: int = 4
    seeds: int = 3
    noise_seeds: int = 3
    methods: tuple[str, ...] = ("auto", "gaussian_process", "additive", "exponential", "lightgbm", "linear")
    kl: float = 0.2
    folds: int = 10
    lead_steps: int = 40
    megabytes: float = 5.0
    vocabulary: int = 2048
    processes: int = 2


FULL = Plan()
QUICK = Plan(
    proxy=replace(PROXY, tokens=65_536, width=24, hidden=64, evaluation_tokens=4_096),
    target=replace(TARGET, tokens=131_072, width=64, hidden=192, evaluation_tokens=8_192, report_every=8),
    designed=16,
    repeats=1,
    seeds=1,
    noise_seeds=2,
    # An additive law has more parameters than there are runs here.
    methods=tuple(method for method in FULL.methods if method != "additive"),
    folds=5,
    lead_steps=16,
    megabytes=1.0,
)
