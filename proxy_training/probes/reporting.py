"""Measurements as `mixclient` sends them: by name of domain, as JSON objects. What is not known is left out.

    client.record(step, loss_sums=..., token_counts=..., signals={"gram": gram_body(gram, client.domains)})

Cost: none to speak of; a Gram matrix of 22 domains is 253 numbers.
"""

import math
from collections.abc import Sequence
from typing import Any

import mixclient
from mixlaws.arrays import FloatArray, IntArray
from mixlaws.feedback import Evaluation, TokenSums
from mixlaws.measurements import ExpertCounts, GradientNorms, GradientProducts, Gram, Influence

Body = dict[str, Any]


def evaluation(found: Evaluation, /) -> mixclient.Evaluation:
    """Losses on a held-out set, of which the steps are those that it was taken at."""
    return mixclient.Evaluation(
        found.sums.tolist(), found.counts.tolist(), set=found.set_hash, step=found.step
    )


def excess(found: TokenSums, /, *, reference: str) -> mixclient.Excess:
    """Losses in excess of those of the reference model of this name."""
    return mixclient.Excess(found.sums.tolist(), found.counts.tolist(), reference=reference)


def gram_body(found: Gram, domains: Sequence[str], /) -> Body:
    """Each pair of domains once."""
    upper = {
        name: _known(found.products[row, row:], domains[row:])
        for row, name in enumerate(domains)
        if found.counts[row] > 0
    }
    return {"upper": upper, "counts": _counts(found.counts, domains), "layers": found.layers}


def grad_products_body(found: GradientProducts, domains: Sequence[str], /) -> Body:
    """Products by domain and target, and the lengths of gradients where they are known."""
    return {
        "products": _table(found.products, domains, found.targets),
        "norms": _known(found.norms, domains),
        "learning_rate": found.learning_rate,
        "counts": _counts(found.counts, domains),
    }


def grad_norms_body(found: GradientNorms, domains: Sequence[str], /) -> Body:
    """Squared norms and variances."""
    return {
        "square_norms": _known(found.square_norms, domains),
        "variances": _known(found.variances, domains),
        "batch": found.batch,
    }


def expert_counts_body(found: ExpertCounts, domains: Sequence[str], /) -> Body:
    """Loads of the domains that were seen."""
    rows = zip(domains, found.counts.tolist(), strict=True)
    return {
        "counts": {name: row for name, row in rows if sum(row) > 0},
        "layer": found.layer,
        "gate": found.gate,
    }


def influence_body(found: Influence, domains: Sequence[str], /) -> Body:
    """Influence by domain and target."""
    return {
        "influence": _table(found.influence, domains, found.targets),
        "method": found.method,
        "tokens": found.tokens,
    }


def _known(values: FloatArray, names: Sequence[str]) -> dict[str, float]:
    pairs = zip(names, values.tolist(), strict=True)
    return {name: value for name, value in pairs if math.isfinite(value)}


def _counts(counts: IntArray, names: Sequence[str]) -> dict[str, int]:
    return dict(zip(names, counts.tolist(), strict=True))


def _table(values: FloatArray, domains: Sequence[str], targets: Sequence[str]) -> dict[str, dict[str, float]]:
    rows = {name: _known(row, targets) for name, row in zip(domains, values, strict=True)}
    return {name: row for name, row in rows.items() if row}
