"""Work that targets share nothing of, spread over whatever joblib is told to use.

Alone it runs here, one target after the other. Inside `joblib.parallel_config(n_jobs=8)`, or with the
backend "ray" and its cluster, targets run side by side, and give the same numbers.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from joblib import Parallel, delayed

from mixlaws.progress import through

A = TypeVar("A")
R = TypeVar("R")


def over_targets(work: Callable[[A], R], targets: Iterable[A]) -> list[R]:
    """The results of `work` for every target, in their order.

    Args:
        work: a function of the module level or a `functools.partial` of one, since processes pickle it.
        targets: what it is called with.
    """
    spread = Parallel()
    if spread.n_jobs == 1:
        return [work(target) for target in through(targets)]
    results: list[R] = spread(delayed(work)(target) for target in targets)
    return results
