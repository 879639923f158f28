"""Statistics find their way from one order of names into another, and back from a file."""

import json

import numpy as np
import pytest

from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError, MissingDomainError, UnknownTargetError
from mixlaws.problem import MixtureProblem
from mixlaws.registry import SAMPLING
from mixlaws.sampling.measured import Measured
from mixlaws.sampling.rule import Statistics

NAMES = ("web", "code", "papers")


def measured() -> Measured:
    rng = np.random.default_rng(0)
    statistics = Statistics(
        conditional_entropy=rng.uniform(3, 6, 3),
        embeddings=rng.normal(size=(3, 8)),
        utilities=rng.random((3, 2)),
        log_probabilities=rng.normal(-200, 5, (20, 3)),
        lengths=np.full(20, 64.0),
    )
    return Measured(NAMES, statistics, ("prose", "programs"), {"corpus": "c"})


@pytest.mark.parametrize("rule", ["chameleon", "entropy", "mixmin", "utilimax"])
def test_a_rule_gives_each_domain_the_same_share_in_whatever_order_it_is_asked(rule: str) -> None:
    read = Measured.load(json.loads(json.dumps(measured().dump())))
    shares = []
    for names in (NAMES, ("papers", "web", "code")):
        problem = MixtureProblem.create(DomainSet(names, (1, 1, 1)))
        weights = SAMPLING[rule]().mixture(problem, read.of(problem.domains))
        shares.append(problem.domains.to_mapping(weights))
    assert shares[0] == pytest.approx(shares[1], abs=1e-6)
    assert len({round(share, 6) for share in shares[0].values()}) > 1


def test_a_document_holds_every_number_to_the_bit() -> None:
    kept, read = measured(), Measured.load(json.loads(json.dumps(measured().dump())))
    for name in ("conditional_entropy", "embeddings", "utilities", "log_probabilities", "lengths"):
        assert np.array_equal(getattr(kept.statistics, name), getattr(read.statistics, name))
    assert (read.domains, read.tasks, read.about) == (kept.domains, kept.tasks, kept.about)


def test_tasks_are_taken_by_name_and_an_unmeasured_name_is_told() -> None:
    kept = measured()
    domains = DomainSet(("code",), (1,))
    turned = kept.of(domains, tasks=["programs", "prose"]).need("utilities", (1, 2))
    assert turned[0] == pytest.approx(kept.statistics.need("utilities", (3, 2))[1, ::-1])
    with pytest.raises(UnknownTargetError, match="'prgrams' of the utilities: did you mean 'programs'"):
        kept.of(domains, tasks=["prgrams"])
    with pytest.raises(MissingDomainError, match="'forums'"):
        kept.of(DomainSet(("code", "forums"), (1, 1)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "mixwright fit"}, "no statistics"),
        ({"schema": 2}, "schema 1"),
        ({"statistics": {"utility": [[1.0]]}}, "unknown statistic 'utility'"),
        ({"statistics": {"embeddings": [[1.0], [2.0, 3.0], [1.0]]}}, "embeddings is no array"),
        ({"statistics": {"embeddings": [[1.0], [2.0]]}}, "expected 3 domains on axis 0"),
        ({"statistics": {"log_probabilities": [[1.0, 2.0]]}}, "expected 3 domains on axis 1"),
        ({"statistics": {"utilities": [[1.0]] * 3}}, "name each of their columns in tasks"),
        ({"statistics": {"conditional_entropy": [1.0, float("nan"), 2.0]}}, "NaN"),
        ({"domains": ["web", "code", "web"]}, "occurs twice"),
        ({"domains": "web"}, "a list of names"),
    ],
)
def test_a_document_that_says_nothing_usable_is_refused_by_what_is_wrong(
    change: dict[str, object], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Measured.load({**measured().dump(), **change})
