"""What small models say of a corpus' domains leads the rules to the truth, also after being killed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mixlaws.errors import InvalidInputError
from mixlaws.problem import MixtureProblem
from mixlaws.sampling.chameleon import Chameleon, leverage_scores
from mixlaws.sampling.measured import Measured
from mixlaws.sampling.mixmin import MixMin
from mixlaws.sampling.utilimax import UtiliMax
from proxy_training.corpus import Corpus, FolderSource, build_corpus
from proxy_training.domain_embeddings import domain_embeddings
from proxy_training.measure import Measurement, measure
from proxy_training.record import Record, RecordError, write_json
from proxy_training.spec import TrainSpec
from proxy_training.train import FixedMixture, trained, untrained
from proxy_training.windows import even_windows, mixed_windows, text_windows
from tests.support.walks import walk

SHARES = np.array([0.5, 0.15, 0.35])


@pytest.fixture(scope="module")
def rings(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Three domains: two walk the same ring of letters, one mostly at random; the third has other letters."""
    root = tmp_path_factory.mktemp("rings")
    kinds = {
        "neat": ("abcdefghijklmnop", 0.1),
        "other": ("ABCDEFGHIJKLMNOP", 0.3),
        "wild": ("abcdefghijklmnop", 0.9),
    }
    for number, (domain, (letters, jumps)) in enumerate(kinds.items()):
        (root / domain).mkdir()
        for index in range(24):
            text = walk(letters, jumps, words=2000, seed=100 * number + index)
            (root / domain / f"{index}.txt").write_text(text, encoding="utf-8")
    return build_corpus(FolderSource(root), cache=tmp_path_factory.mktemp("cache"), vocabulary=300)


@pytest.fixture(scope="module")
def spec() -> TrainSpec:
    return TrainSpec(
        tokens=60 * 256, context=16, batch=16, layers=2, width=16, heads=2, hidden=32, learning_rate=3e-2,
        evaluation_tokens=1024,
    )  # fmt: skip


@pytest.fixture(scope="module")
def wanted(rings: Corpus, spec: TrainSpec) -> Measurement:
    """Target text of which 50, 15 and 35 % are of the three domains."""
    sequences = mixed_windows(rings, SHARES, length=spec.context + 1, count=400)
    return Measurement(rings, spec, sequences, samples=200)


@pytest.fixture(scope="module")
def measured(wanted: Measurement, tmp_path_factory: pytest.TempPathFactory) -> Measured:
    return measure(wanted, Record(tmp_path_factory.mktemp("parts"), wanted.settings))


@pytest.fixture
def problem(rings: Corpus) -> MixtureProblem:
    return MixtureProblem.create(rings.domains)


def test_mixmin_recovers_the_mixture_of_the_target_from_models_of_its_sources(
    measured: Measured, problem: MixtureProblem
) -> None:
    found = MixMin().mixture(problem, measured.of(problem.domains))
    assert found == pytest.approx(SHARES, abs=0.03)
    # And not because the prior says so.
    assert np.abs(problem.prior - SHARES).max() > 0.1


def test_a_log_probability_is_minus_the_loss_of_the_words_that_are_predicted(measured: Measured) -> None:
    logs = measured.statistics.need("log_probabilities", (None, 3))
    lengths = measured.statistics.need("lengths", (len(logs),))
    per_token = -logs / lengths[:, None]
    assert per_token.min() > 0
    # Sequences stand domain by domain: on its own ones each expert is the best, in the mean.
    owners = np.repeat(np.arange(3), np.round(SHARES * len(logs)).astype(int))
    means = np.stack([per_token[owners == domain].mean(axis=0) for domain in range(3)])
    assert means.argmin(axis=1).tolist() == [0, 1, 2]


def test_an_expert_is_of_most_use_at_home_and_of_more_to_kin_than_to_strangers(
    measured: Measured, problem: MixtureProblem
) -> None:
    utilities = measured.statistics.need("utilities", (3, 3))
    assert np.diag(utilities) == pytest.approx(1.0)
    assert measured.tasks == problem.domains.names
    neat, other, wild = range(3)
    assert utilities[wild, neat] > utilities[other, neat]
    # Of the letters that it never read a model knows less than how common they are.
    assert utilities[neat, other] == utilities[other, neat] == 0
    only_other = replace(problem, coefficients=np.array([0.0, 1.0, 0.0]))
    mixture = UtiliMax().mixture(only_other, measured.of(problem.domains, tasks=problem.domains.names))
    assert mixture.argmax() == other


def test_the_domain_of_other_letters_stands_out_by_its_embedding(
    measured: Measured, problem: MixtureProblem
) -> None:
    embeddings = measured.statistics.need("embeddings", (3, 16))
    assert leverage_scores(embeddings, ridge=10).argmax() == 1
    assert Chameleon().mixture(problem, measured.of(problem.domains)).argmin() == 1


def test_an_embedding_is_the_mean_state_of_all_positions_and_copies_count_once(
    rings: Corpus, spec: TrainSpec
) -> None:
    model = untrained(spec, rings, seed=3)
    found = domain_embeddings(model, rings, context=16, samples=40)
    windows = even_windows(rings.tokens("other", "train"), length=16, count=40)
    rows = {tuple(row): None for row in windows.tolist()}
    states = [model.states(torch.tensor([row]), blocks=1).detach().numpy()[0].mean(axis=0) for row in rows]
    assert found[1] == pytest.approx(np.mean(states, axis=0), abs=1e-6)


def test_one_that_was_killed_goes_on_where_it_was_and_gives_the_same(
    wanted: Measurement, measured: Measured, tmp_path: Path
) -> None:
    class Killed(BaseException):
        pass

    begun: list[str] = []

    def until(part: str) -> Callable[[str, float], None]:
        def told(doing: str, _: float) -> None:
            begun.append(doing)
            if doing == part:
                raise Killed

        return told

    with pytest.raises(Killed):
        measure(wanted, Record(tmp_path / "parts", wanted.settings), progress=until("training on wild alone"))
    begun.clear()
    record = Record(tmp_path / "parts", wanted.settings)
    assert measure(wanted, record, progress=until("")).dump() == measured.dump()
    assert {name for name in begun if name.startswith("training")} == {"training on wild alone"}
    other = replace(wanted, seed=1)
    with pytest.raises(RecordError, match="other seed: remove the folder"):
        Record(tmp_path / "parts", other.settings)
    record.discard()
    assert not (tmp_path / "parts").exists()


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"x": 1})
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{"x": 1}\n'
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "settings.json").write_text('{"se', encoding="utf-8")
    with pytest.raises(RecordError, match="damaged"):
        Record(tmp_path / "p", {})


def test_the_cost_that_is_told_is_what_is_then_computed(
    wanted: Measurement, rings: Corpus, spec: TrainSpec
) -> None:
    costs = wanted.costs
    assert [costs[part].trainings for part in ("entropies", "embeddings", "experts")] == [0, 1, 3]
    mixture = FixedMixture(dict.fromkeys(rings.domains.names, 1 / 3), batch=spec.batch, seed=0)
    model, stream = trained(spec, rings, mixture, seed=0)
    by_hand = 6 * model.parameter_count() * sum(stream.tokens_drawn)
    assert costs["embeddings"].training_flops == by_hand
    assert costs["experts"].training_flops == 3 * by_hand
    assert costs["embeddings"].forward_tokens == 3 * 200 * 16


def test_target_windows_have_the_shares_that_are_asked_for_and_no_text_twice(rings: Corpus) -> None:
    windows = mixed_windows(rings, np.array([0.6, 0.0, 0.4]), length=17, count=101)
    capitals = set(rings.tokens("other", "validation").tolist())
    capitals -= set(rings.tokens("neat", "validation").tolist())
    assert capitals
    assert not [row for row in windows.tolist() if capitals & set(row)]
    wild = even_windows(rings.tokens("wild", "validation"), length=17, count=40)
    assert len(windows) == 101
    assert np.array_equal(windows[-40:], wild)
    many = mixed_windows(rings, np.array([1.0, 0.0, 0.0]), length=17, count=10**9)
    assert len(many) == len(rings.tokens("neat", "validation")) // 17


def test_text_from_elsewhere_is_cut_like_a_shard_and_too_little_is_refused(rings: Corpus) -> None:
    windows = text_windows(["a b c d e f g h " * 20, "p o n"], rings.tokeniser, length=8, count=5)
    assert windows.shape == (5, 8)
    with pytest.raises(ValueError, match="the target text has"):
        text_windows(["a b"], rings.tokeniser, length=80, count=5)


def test_parts_that_do_not_exist_and_sequences_of_another_length_are_refused(wanted: Measurement) -> None:
    with pytest.raises(InvalidInputError, match="choose from entropies, embeddings, experts"):
        replace(wanted, parts=("entropy",))
    with pytest.raises(InvalidInputError, match=r"expected \(x, 17\)"):
        replace(wanted, sequences=wanted.sequences[:, :-1])
