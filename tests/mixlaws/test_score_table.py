"""The score table shows what there is, whatever columns rows may have one day."""

from mixlaws.auto.score_table import COLUMNS, score_table
from mixlaws.auto.stack import Row

RUN = Row(
    "exponential",
    weight=0.25,
    mae=0.01234,
    r2=0.5,
    spearman=0.9,
    target_spearman=0.8,
    transfer_spearman=0.7,
    transfer_r2=0.6,
    fidelity_in_sample=0.95,
)


def test_a_column_that_is_none_in_all_rows_is_not_shown() -> None:
    whole = score_table([RUN, Row("constant", mae=0.2)])
    assert [column.field for column in whole.columns] == [column.field for column in COLUMNS]
    assert whole.rows[1][0] == "constant"
    assert set(whole.rows[1][3:]) == {"–"}
    bare = score_table([Row("constant", mae=0.2), Row("linear", mae=0.1, r2=0.3)])
    assert [column.field for column in bare.columns] == ["member", "weight", "mae", "r2"]
    assert "rank" not in bare.legend


def test_rows_without_a_field_of_the_table_are_rows_all_the_same() -> None:
    class Bare:
        member, weight, note, seconds = "linear", 1.0, "", 0.0

    table = score_table([Bare()])
    assert table.rows == (("linear", "100 %"),)


def test_members_that_were_not_run_stand_apart_with_their_cost_and_the_reason() -> None:
    table = score_table([RUN, Row("lightgbm", seconds=41.7, note="too costly")])
    assert [row[0] for row in table.rows] == ["exponential"]
    assert table.notes == ("not run: lightgbm (about 42 s): too costly",)
    part = score_table([Row("lightgbm", mae=0.1, note="fitted to 300 of 900 runs")])
    assert part.rows[0][0] == "lightgbm"
    assert part.notes == ("lightgbm: fitted to 300 of 900 runs",)


def test_a_share_that_rounds_to_nothing_is_not_shown_as_nothing() -> None:
    shares = [score_table([Row("linear", weight=weight)]).rows[0][1] for weight in (0.0, 0.001, 0.25, 1.0)]
    assert shares == ["–", "< 1 %", "25 %", "100 %"]
