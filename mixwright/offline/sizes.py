"""The domains that a mixture is made for: from a file of token counts, a built corpus, or a study."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mixlaws.domains import DomainSet
from mixlaws.problem import MixtureProblem
from mixlaws.simplex import FILE_TOLERANCE, as_weights
from mixlaws.swarm import target_coefficients
from mixwright.offline.loading import SERVICE
from mixwright.offline.options import Service, numbers_of_file
from mixwright.offline.posing import Constraints
from mixwright.problems import CommandError


@dataclass(frozen=True)
class Sizes:
    """Domains with what is known of them.

    Args:
        domains: with the tokens that they hold.
        stated: what a study was created with; empty for a file or a corpus.
    """

    domains: DomainSet
    stated: Mapping[str, Any] = field(default_factory=dict)


def sizes_of(source: str, service: Service) -> Sizes:
    """Read the domains.

    Raises:
        CommandError: the source cannot be read.
        ServiceError: the service refuses the key or has no such study.
    """
    if source.startswith(SERVICE):
        from mixwright.offline.study import definition_of_study  # noqa: PLC0415 - files need no client

        stated = definition_of_study(source.removeprefix(SERVICE), url=service.url, key=service.key)
        return Sizes(DomainSet.from_tokens({d["name"]: d["tokens"] for d in stated["domains"]}), stated)
    path = Path(source)
    if path.is_dir():
        from mixwright.corpora import is_built  # noqa: PLC0415 - brings in the tokeniser
        from proxy_training.corpus import Corpus  # noqa: PLC0415

        if not is_built(path):
            raise CommandError(
                f"{path} is no built corpus: `mixwright measure` says where it built one; or give a JSON "
                "file with the tokens of each domain"
            )
        return Sizes(Corpus.open(path).domains)
    counts = numbers_of_file(path, "the tokens")
    return Sizes(DomainSet.from_tokens({name: int(count) for name, count in counts.items()}))


def problem_of(
    sizes: Sizes, asked: Constraints, objective: Mapping[str, float]
) -> tuple[MixtureProblem, Sequence[str] | None]:
    """The problem of the domains, and the targets that its coefficients are of: asked goes before stated.

    Raises:
        CommandError: an option needs another one.
        MixlawsError: a domain is unknown, or nothing satisfies all bounds.
    """
    domains, stated = sizes.domains, sizes.stated
    final_tokens = asked.final_tokens or stated.get("final_tokens")
    if asked.max_epochs is not None and final_tokens is None:
        raise CommandError("--max-epochs bounds shares of a budget: give --budget too")
    limits = {d["name"]: d["max_epochs"] for d in stated.get("domains", ()) if d["max_epochs"] is not None}
    if asked.max_epochs is not None:
        limits = dict.fromkeys(domains.names, asked.max_epochs)
    prior = stated.get("prior") if asked.prior is None else asked.prior
    if isinstance(prior, Mapping):
        prior = domains.to_mapping(as_weights(domains.to_array(prior), tolerance=FILE_TOLERANCE))
    wanted = objective or stated.get("objective", {})
    targets = stated.get("targets") or list(wanted) or None
    problem = MixtureProblem.create(
        domains,
        prior=prior if isinstance(prior, Mapping) else None,
        lower={**stated.get("lower", {}), **asked.lower},
        upper={**stated.get("upper", {}), **asked.upper},
        final_tokens=final_tokens,
        max_epochs=limits or None,
        coefficients=target_coefficients(targets, wanted) if targets and wanted else None,
    )
    return problem, targets
