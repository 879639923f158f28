"""What the fidelity of laws adds to a verdict: whether their form or the number of runs is the trouble."""

from collections.abc import Sequence

from mixlaws.auto.stack import Row

_DESCRIBES = 0.8  # R² on the runs that were fitted: below it the form leaves out what moves the losses
_CARRIES_OVER = 0.1  # of variance: what a law may lose on runs that it did not see


def told_of_laws(rows: Sequence[Row]) -> str:
    """What to say of the law that predicts held-out runs best; empty where its fidelity says nothing new."""
    laws = [row for row in rows if row.fidelity_in_sample is not None and row.r2 is not None]
    if not laws:
        return ""
    best = max(laws, key=lambda row: row.r2 or 0.0)
    fidelity, held_out = best.fidelity_in_sample or 0.0, best.r2 or 0.0
    if fidelity < _DESCRIBES:
        return (
            f"; the {best.member} law describes even the runs it saw with an R² of {fidelity:.2f} alone: "
            "these losses have not its form, or are mostly noise"
        )
    if fidelity - held_out > _CARRIES_OVER:
        return (
            f"; the {best.member} law describes the runs it saw with an R² of {fidelity:.2f}, yet runs it "
            f"did not see with {held_out:.2f}: it has more freedom than these runs can settle"
        )
    return ""
