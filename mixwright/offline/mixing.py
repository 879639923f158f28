"""A mixture by a rule, as a table, JSON, shares or schedule."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from mixlaws.arrays import FloatArray
from mixlaws.problem import MixtureProblem
from mixlaws.registry import SAMPLING
from mixlaws.sampling.measured import Measured
from mixlaws.sampling.rule import NOTHING, SamplingRule
from mixwright.offline.hyperparameters import build
from mixwright.offline.options import Service
from mixwright.offline.posing import Constraints
from mixwright.offline.sizes import problem_of, sizes_of
from mixwright.problems import CommandError
from mixwright.showing import say, table


@dataclass(frozen=True, eq=False)
class Mixed:
    """A mixture with the rule that chose it and the problem that it was chosen for."""

    rule: str
    problem: MixtureProblem
    weights: FloatArray

    @property
    def shares(self) -> dict[str, float]:
        """Shares by name, as `--prior` takes them, and a live job."""
        return self.problem.domains.to_mapping(self.weights)

    def to_json(self) -> dict[str, Any]:
        """The mixture for programs."""
        return {"final_tokens": self.problem.final_tokens, "weights": self.shares, "domains": self.rows()}

    def rows(self) -> list[dict[str, Any]]:
        """A row for each domain; what it reads and how often are None without a budget."""
        problem, budget = self.problem, self.problem.final_tokens
        columns = zip(
            problem.domains.names,
            problem.domains.tokens,
            problem.domains.natural.tolist(),
            self.weights.tolist(),
            strict=True,
        )
        return [
            {
                "name": name,
                "holds": held,
                "natural": natural,
                "share": share,
                "tokens": None if budget is None else share * budget,
                "epochs": None if budget is None else share * budget / held,
            }
            for name, held, natural, share in columns
        ]


def build_rule(name: str, params: Mapping[str, Any]) -> SamplingRule:
    """A rule of the registry.

    Raises:
        UnknownMethodError: no rule of that name.
        CommandError: a hyperparameter is unknown or of another type.
    """
    return build("rule", SAMPLING, name, params)


def read_statistics(path: Path) -> Measured:
    """What was measured.

    Raises:
        CommandError: the file cannot be read.
        InvalidInputError: it holds no statistics.
    """
    try:
        return Measured.load(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from None


def mix(
    source: str,
    name: str,
    rule: SamplingRule,
    asked: Constraints,
    objective: Mapping[str, float],
    measured: Measured | None,
    service: Service,
) -> Mixed:
    """The mixture of a rule for the domains of a source.

    Raises:
        CommandError: the rule needs a statistic that no file was given for.
        MixlawsError: the rule, the bounds or the statistics admit no mixture.
    """
    problem, targets = problem_of(sizes_of(source, service), asked, objective)
    if rule.needs and measured is None:
        raise CommandError(
            f"rule {name!r} needs {', '.join(sorted(rule.needs))}: measure them with `mixwright measure TEXT "
            "--out statistics.json`, and give --statistics statistics.json"
        )
    statistics = NOTHING
    if measured is not None:
        # Tasks matter to utilities alone, and may be named unlike the targets of a study.
        statistics = measured.of(problem.domains, tasks=targets if "utilities" in rule.needs else None)
    return Mixed(name, problem, rule.mixture(problem, statistics))


def tell(mixed: Mixed, console: Console) -> None:
    """Print the mixture as a table."""
    rows = [
        [
            row["name"],
            _tokens(row["holds"]),
            f"{row['natural']:.2%}",
            f"{row['share']:.2%}",
            "–" if row["tokens"] is None else _tokens(row["tokens"]),
            "–" if row["epochs"] is None else f"{row['epochs']:.3g}",
        ]
        for row in mixed.rows()
    ]
    console.print(table(console, ["domain", "holds", "natural", "share", "tokens", "epochs"], rows))
    if mixed.problem.final_tokens is None:
        say(console, "--budget tells how often each domain is read")


def write_schedule(path: Path, mixed: Mixed, *, samples_per_step: int) -> None:
    """Write a schedule of one stage, for a trainer that no service steers."""
    from mixclient import Schedule  # noqa: PLC0415 - the mixture itself needs no client

    document = Schedule.static(mixed.shares, samples_per_step=samples_per_step, reason=mixed.rule)
    path.write_text(document.dump() + "\n", encoding="utf-8")


def _tokens(count: float) -> str:
    for size, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count:.0f}"
