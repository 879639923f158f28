"""What is odd about a report that is taken all the same: its trainer is told, and nothing stops."""

from collections.abc import Mapping
from typing import Any

from service.jobs.definition import JobDefinition


def oddities(definition: JobDefinition, row: Mapping[str, Any]) -> list[str]:
    """What a stored report holds that no policy is told as it is, in words."""
    ceiling = definition.steering.guards.loss_ceiling
    told = list(zip(definition.domains.names, row["loss_sums"], row["token_counts"], strict=False))
    absurd = [
        name for name, loss, count in told if loss is not None and count and abs(loss) > ceiling * count
    ]
    negative = [name for name, loss, _ in told if loss is not None and loss < 0]
    uncounted = [name for name, loss, count in told if loss is not None and not count]
    found = {
        "is not finite: it counts as not observed": row["non_finite"],
        f"is beyond {ceiling:g} nats a token: it is held there": absurd,
        "is negative": negative,
        "is of no token: it is not used": uncounted,
    }
    return [f"the loss of {', '.join(names)} {what}" for what, names in found.items() if names]
