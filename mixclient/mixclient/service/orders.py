"""Orders that people give a live job: each has a reason, and can be tried out before."""

from collections.abc import Mapping
from typing import Any

from mixclient.documents.jobs import OrderOut
from mixclient.service.call import Call
from mixclient.service.operation import operation


class Orders:
    """What people can order; `dry_run` tells what would come of it, and stores nothing."""

    @operation("POST", "/v1/jobs/{job}/pin", keyed=True)
    def pin_job(
        self, job: str, weights: Mapping[str, float], *, reason: str, dry_run: bool = False
    ) -> Call[OrderOut]:
        """Hold weights of your choice until you release them."""
        return _order(job, reason, dry_run, weights=weights)

    @operation("POST", "/v1/jobs/{job}/freeze", keyed=True)
    def freeze_job(self, job: str, *, reason: str, dry_run: bool = False) -> Call[OrderOut]:
        """Hold the weights as they are until you release them; the policy goes on learning."""
        return _order(job, reason, dry_run)

    @operation("POST", "/v1/jobs/{job}/release", keyed=True)
    def release_job(self, job: str, *, reason: str, dry_run: bool = False) -> Call[OrderOut]:
        """Let the policy steer again after a pin, a freeze, a rollback or an alarm."""
        return _order(job, reason, dry_run)

    @operation("POST", "/v1/jobs/{job}/rollback", keyed=True)
    def roll_back_job(self, job: str, version: int, *, reason: str, dry_run: bool = False) -> Call[OrderOut]:
        """Hold the weights of a version, and let the policy forget what it has learnt since."""
        return _order(job, reason, dry_run, version=version)

    @operation("POST", "/v1/jobs/{job}/retire", keyed=True)
    def retire_domain(self, job: str, domain: str, *, reason: str, dry_run: bool = False) -> Call[OrderOut]:
        """Take a domain out; its share is spread as the guards of the job say."""
        return _order(job, reason, dry_run, domain=domain)

    @operation("POST", "/v1/jobs/{job}/readmit", keyed=True)
    def readmit_domain(self, job: str, domain: str, *, reason: str, dry_run: bool = False) -> Call[OrderOut]:
        """Let a retired domain in again."""
        return _order(job, reason, dry_run, domain=domain)

    @operation("POST", "/v1/jobs/{job}/shadow", keyed=True)
    def shadow_job(self, job: str, *, on: bool, reason: str, dry_run: bool = False) -> Call[OrderOut]:
        """Let the policy watch while the prior holds, or let it steer."""
        return _order(job, reason, dry_run, on=on)

    @operation("POST", "/v1/jobs/{job}/domains", keyed=True)
    def add_domain(
        self,
        job: str,
        name: str,
        tokens: int,
        *,
        max_epochs: float | None = None,
        prior_weight: float | None = None,
        reason: str,
        dry_run: bool = False,
    ) -> Call[OrderOut]:
        """Add a domain, which comes in with the next restart from a checkpoint.

        Args:
            job: its name.
            name: of the new domain.
            tokens: that it holds.
            max_epochs: how often it may be read; by default without limit.
            prior_weight: its weight in the prior, taken from all others alike; by default by tokens.
            reason: why, for the audit trail.
            dry_run: store nothing.
        """
        more = {"tokens": tokens, "max_epochs": max_epochs, "prior_weight": prior_weight}
        return _order(job, reason, dry_run, name=name, **more)


def _order(job: str, reason: str, dry_run: bool, **what: Any) -> Call[OrderOut]:
    return Call({"job": job}, body={**what, "reason": reason, "dry_run": dry_run})
