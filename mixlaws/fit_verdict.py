"""What the held-out scores of a fit say, in one sentence: whether to propose from it, what would help."""

from mixlaws.score_intervals import ScoreIntervals

_NOISE = 1.3  # mean errors of a fit that knows the truth are 0.8 deviations; some are allowed on top
_GRADES = ((0.8, "good"), (0.5, "fair"))  # by the low end of the rank correlation


def fit_verdict(
    method: str,
    *,
    runs: int,
    spearman: float | None,
    mae: float,
    intervals: ScoreIntervals | None,
    noise: float | None,
) -> str:
    """The sentence.

    Args:
        method: what was fitted.
        runs: that were held out, each once.
        spearman: rank correlation of the objective; None where it is undefined.
        mae: mean absolute error of the objective, nats per token.
        intervals: of these two; None where they are not known.
        noise: deviation of the objective between seeds of one mixture, nats per token, if it was measured.
    """
    low = intervals.spearman[0] if intervals else spearman
    if spearman is None or low is None or low <= 0:
        return (
            f"{method} does not surely rank the {runs} runs that it did not see better than chance: propose "
            "nothing from it, run more mixtures or try another method."
        )
    between = f" ({intervals.spearman[0]:.2f} to {intervals.spearman[1]:.2f})" if intervals else ""
    grade = next((word for least, word in _GRADES if low >= least), "weak")
    ranks = (
        f"{method} is a {grade} guide: it ranks {runs} runs that it did not see at {spearman:.2f}{between}"
    )
    if noise is None or not noise > 0:
        return f"{ranks} and errs by {mae:.3f} nats; repeat a mixture to learn how much of that is noise."
    if mae <= _NOISE * noise:
        return f"{ranks} and errs by {mae:.3f} nats, no more than two seeds of one mixture differ by."
    return (
        f"{ranks} and errs by {mae:.3f} nats, {mae / noise:.1f} times the deviation between seeds: more runs "
        "or another method may still help."
    )
