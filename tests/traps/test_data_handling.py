"""Tables of runs mean what they say: no position, no rounding and no stray row changes what is fitted."""

from pathlib import Path

import numpy as np
import pytest

from mixlaws.domains import DomainSet
from mixlaws.laws.bimix import BiMix
from mixlaws.laws.exponential import ExponentialLaw
from mixlaws.regressors.linear import Linear
from mixlaws.simplex import FILE_TOLERANCE, as_weights
from mixlaws.swarm import Swarm
from service.importers.errors import ImportRefusedError
from service.importers.reading import read_runs
from tests.reference_data import five_mix, five_mix_shares
from tests.service.importers.tables import WIDE, wide_rows, written

DOMAINS = DomainSet(tuple("abcdef"), (1,) * 6)


def test_rounding_in_a_file_moves_the_slopes_of_a_regression_by_no_more_than_rounding() -> None:
    rng = np.random.default_rng(0)
    exact = rng.dirichlet(np.full(6, 0.4), size=80)
    losses = exact @ rng.uniform(2, 6, (6, 1)) + 0.02 * rng.standard_normal((80, 1))
    ours, naive = [], []
    for decimals in (3, 4):
        written_rows = exact.round(decimals)
        rows = as_weights(written_rows, tolerance=FILE_TOLERANCE)
        ours.append(Linear().fit(Swarm(DOMAINS, ("x",), rows, losses), rng=rng).slopes[0])
        # An intercept beside all weights is told apart from them by the rounding of the sums alone.
        with_intercept = np.column_stack([np.ones(80), written_rows])
        naive.append(np.linalg.lstsq(with_intercept, losses[:, 0], rcond=None)[0])
    assert np.abs(ours[0] - ours[1]).max() < 0.05
    assert np.abs(naive[0] - naive[1]).max() > 10 * np.abs(ours[0] - ours[1]).max()


def test_a_share_of_exactly_zero_is_measured_and_not_clipped(reference_data: Path) -> None:
    # A power of the share, clipped at 1e-12, is what a table of shares without care leads to.
    swarm = five_mix(reference_data, size="70M", step=30_000).only(["symbolic"])
    share = swarm.weights[:, swarm.domains.index("symbolic")]
    absent, y = share == 0, swarm.values[:, 0]
    assert absent.sum() > 3
    assert y[absent].min() > y[~absent].max()
    slope, level = np.polyfit(np.log(np.maximum(share, 1e-12)), np.log(y), 1)
    clipped = np.exp(slope * np.log(np.maximum(share, 1e-12)) + level)
    fitted = BiMix().fit(swarm, rng=np.random.default_rng(0)).predict(swarm.weights)[:, 0]
    assert np.abs(fitted - y)[~absent].mean() < 0.3 * np.abs(clipped - y)[~absent].mean()


REGMIX_MIXTURES = ("train_the_pile_web,train_the_pile_code,index,train_the_pile_books", [
    ".2,.3,7,.5", ".1,.2,3,.7", ".6,.3,5,.1",
])  # fmt: skip
REGMIX_LOSSES = ("metric/the_pile_code_val_loss,index,metric/the_pile_web_val_loss", [
    "2.3,5,3.3", "2.7,7,3.7", "2.1,3,3.1",
])  # fmt: skip


@pytest.mark.parametrize("turn", [0, 1, 2])
def test_columns_and_rows_of_two_tables_are_matched_by_name_however_they_stand(
    tmp_path: Path, turn: int
) -> None:
    for name, (header, rows) in (
        ("train_mixture_1m.csv", REGMIX_MIXTURES),
        ("train_pile_loss_1m.csv", REGMIX_LOSSES),
    ):
        turned = [np.roll(np.array(line.split(",")), turn) for line in (header, *rows[turn:], *rows[:turn])]
        written(tmp_path / name, *(",".join(cells) for cells in turned))
    runs = {run.name: run for run in read_runs(tmp_path).runs}
    # Row by row and column by column, the losses would go to other runs and to other domains.
    assert runs["7"].weights == pytest.approx({"web": 0.2, "code": 0.3, "books": 0.5})
    assert {name: run.values for name, run in runs.items()} == {
        "3": {"web": 3.1, "code": 2.1},
        "5": {"web": 3.3, "code": 2.3},
        "7": {"web": 3.7, "code": 2.7},
    }


CURVES = "mixture_id,step,validation_domain,loss,weight_a,weight_b"


def curves(
    *, skip: tuple[int, str, str] = (-1, "", ""), steps: tuple[str, ...] = ("1000", "2000")
) -> list[str]:
    return [
        f"{number},{step},{domain},{3 - number / 10},{share},{1 - share}"
        for number, share in enumerate((0.25, 0.5, 0.75))
        for step in steps
        for domain in "ab"
        if (number, step, domain) != skip
    ]


def test_a_checkpoint_without_a_number_is_left_out_and_counted(tmp_path: Path) -> None:
    rows = curves(steps=("step-1000", "2000", "last"))
    report = read_runs(written(tmp_path / "runs.csv", CURVES, *rows)).report
    assert (report.runs, report.scale) == (3, "step 2000")
    assert report.to_json()["findings"]["unnumbered_steps"]["names"] == [
        "0 at last",
        "1 at last",
        "2 at last",
    ]
    with pytest.raises(ImportRefusedError, match="no checkpoint has a number"):
        read_runs(written(tmp_path / "other.csv", CURVES, *curves(steps=("last",))))


def test_a_run_that_lacks_a_checkpoint_or_a_loss_is_told_and_no_other_value_stands_in(
    tmp_path: Path,
) -> None:
    short = [row for row in curves() if not row.startswith("1,2000")]
    assert read_runs(written(tmp_path / "runs.csv", CURVES, *short)).report.scale == "step 1000"
    late = read_runs(tmp_path / "runs.csv", step=2000).report
    assert late.to_json()["findings"]["without_step"]["names"] == ["1"]
    partial = read_runs(written(tmp_path / "runs.csv", CURVES, *curves(skip=(1, "2000", "b")))).report
    assert (partial.runs, partial.to_json()["findings"]["incomplete"]["names"]) == (2, ["1"])


def test_a_share_that_was_cut_off_is_refused_and_not_renormalised(tmp_path: Path) -> None:
    rows = [*curves()[:-1], "2,2000,b,2.8,0.75,0.02"]
    with pytest.raises(ImportRefusedError, match=r"run '2' has other weights in .*line 13 than in .*line 12"):
        read_runs(written(tmp_path / "runs.csv", CURVES, *rows))
    with pytest.raises(ImportRefusedError, match=r"line 5: the weights sum to 0\.77"):
        read_runs(written(tmp_path / "wide.csv", WIDE, *wide_rows(3), "cut,0.75,0.02,3,3"))


def test_runs_of_one_mixture_stay_runs_and_rows_of_one_run_become_one(tmp_path: Path) -> None:
    repeats = ["p,.5,.5,3.0,2.0", "q,.5,.5,3.1,2.1", "q,.5,.5,3.1,2.1"]
    imported = read_runs(written(tmp_path / "runs.csv", WIDE, *wide_rows(3), *repeats))
    assert [run.name for run in imported.runs][-2:] == ["p", "q"]
    assert imported.report.count("merged_duplicates") == 1
    # A mean of contradicting rows would be a third measurement that nobody made.
    with pytest.raises(ImportRefusedError, match="run 'q' stands twice, and code is"):
        read_runs(written(tmp_path / "runs.csv", WIDE, *wide_rows(3), *repeats, "q,.5,.5,3.1,2.2"))


def test_the_overall_loss_weighs_validation_sets_by_their_text_and_ranks_mixtures_so(
    reference_data: Path,
) -> None:
    fine, coarse = (five_mix(reference_data, size="70M", step=30_000, subsets=s) for s in (True, False))
    by_text = fine.values @ fine.coefficients(five_mix_shares(reference_data, subsets=True))
    assert by_text == pytest.approx(coarse.values @ coarse.coefficients(five_mix_shares(reference_data)))
    plain = fine.values.mean(axis=1)
    assert np.abs(plain - by_text).mean() > 0.1
    assert plain.argmin() != by_text.argmin()


def test_a_prior_or_an_objective_in_another_order_is_the_same_one() -> None:
    rng = np.random.default_rng(1)
    swarm = Swarm(DOMAINS, tuple("xyz"), rng.dirichlet(np.ones(6), 20), rng.uniform(2, 3, (20, 3)))
    one, other = (swarm.coefficients(named) for named in ({"x": 1, "z": 3}, {"z": 3, "x": 1}))
    assert one.tolist() == other.tolist() == [0.25, 0, 0.75]
    fitted, turned = (
        ExponentialLaw(ridge=1e-3).fit(swarm.only(targets), rng=rng).predict(swarm.weights)
        for targets in (tuple("xyz"), tuple("zxy"))
    )
    assert turned[:, [1, 2, 0]] == pytest.approx(fitted, abs=1e-9)
