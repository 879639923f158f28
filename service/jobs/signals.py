"""Further measurements of a report, by kind. What each is, and what becomes of several: docs/reports.md."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    GetCoreSchemaHandler,
    GetPydanticSchema,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from mixlaws.arrays import JsonObject
from service import storable
from service.schemas import LARGEST_INTEGER, MOST_DOMAINS, Body, Count, PositiveCount

# A small report must not ask for large arrays: domains x targets, or domains x experts, numbers are kept.
MOST_TARGETS = 1000
MOST_EXPERTS = 1024

Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(storable.text)]
Size = Annotated[FiniteFloat, Field(ge=0)]
Load = Annotated[FiniteFloat, Field(ge=0, le=LARGEST_INTEGER)]
Numbers = Annotated[dict[Name, FiniteFloat | None], Field(max_length=MOST_DOMAINS)]
Sizes = Annotated[dict[Name, Size | None], Field(max_length=MOST_DOMAINS)]
Counts = Annotated[dict[Name, Count], Field(max_length=MOST_DOMAINS)]


def _few(rows: dict[str, dict[str, float | None]]) -> dict[str, dict[str, float | None]]:
    targets = {name for row in rows.values() for name in row}
    if len(targets) > MOST_TARGETS:
        raise ValueError(f"{len(targets)} targets: name at most {MOST_TARGETS}")
    return rows


TargetNumbers = Annotated[
    dict[Name, dict[Name, FiniteFloat | None]], Field(max_length=MOST_DOMAINS), AfterValidator(_few)
]


def _need_counts(measured: Iterable[str], counts: Mapping[str, int]) -> None:
    missing = sorted(set(measured) - counts.keys())
    if missing:
        raise ValueError(f"no count for {', '.join(missing)}: give every domain that was measured its count")


class SignalBody(Body):
    """Measurements are taken as they are sent: text or a truth value is no number."""

    model_config = ConfigDict(strict=True)


class SumsBody(SignalBody):
    """Token losses, or differences of them, added by domain."""

    sums: Numbers = Field(description="Summed over tokens, by domain, nats; null where not finite.")
    counts: Counts = Field(description="Tokens behind those sums.")

    @model_validator(mode="after")
    def _counted(self) -> "SumsBody":
        _need_counts(self.sums, self.counts)
        return self


class ExcessBody(SumsBody):
    """Token losses minus those of a reference model."""

    reference: Name = Field(description="Name of the reference model.")


class ClippedExcessBody(ExcessBody):
    """Token losses minus those of a reference model, each held at 0 from below before they are added."""

    sums: Sizes = Field(description="Summed over tokens, by domain, nats; null where not finite.")


class EvaluationBody(SumsBody):
    """Losses on a fixed evaluation set."""

    set: Name = Field(description="Name of the evaluation set; losses on others are not comparable.")
    step: Annotated[int, Field(ge=0, le=LARGEST_INTEGER)] = Field(
        description="Optimiser steps made when it was taken."
    )


class GramBody(SignalBody):
    """Products between the gradients of domains, each added over the domain's samples."""

    upper: Annotated[dict[Name, Numbers], Field(max_length=MOST_DOMAINS)] = Field(
        description="Product by domain and domain, each pair once, a domain with itself included; null "
        "where not finite."
    )
    counts: Counts = Field(description="Samples behind the gradient of each domain.")
    layers: Name = Field(description="Name of the parameters that the gradients are of.")

    @model_validator(mode="after")
    def _once(self) -> "GramBody":
        pairs = [(left, right) for left, row in self.upper.items() for right in row]
        given = set(pairs)
        for left, right in pairs:
            if left < right and (right, left) in given:
                raise ValueError(f"the product of {left} and {right} is given twice: give each pair once")
        _need_counts((name for pair in pairs for name in pair), self.counts)
        return self


class GradientProductsBody(SignalBody):
    """Products of the gradients of domains with those of targets, all of mean losses."""

    products: TargetNumbers = Field(
        description="Product by domain and target; null where not finite. A domain that is left out was "
        "not observed."
    )
    norms: Sizes = Field(default={}, description="Length of the gradient by domain; null where not finite.")
    learning_rate: Size = Field(description="Learning rate of the step.")
    counts: Counts = Field(description="Samples behind the gradient of each domain.")

    @model_validator(mode="after")
    def _counted(self) -> "GradientProductsBody":
        _need_counts([*self.products, *self.norms], self.counts)
        return self


class GradientNormsBody(SignalBody):
    """How long the gradients of domains are, and how noisy."""

    square_norms: Numbers = Field(
        description="Squared norm of the mean gradient by domain; an estimate without bias may be negative."
    )
    variances: Numbers = Field(
        description="Squared deviation of one sample's gradient from the mean, by domain; likewise."
    )
    batch: PositiveCount = Field(description="Samples of the probe.")


class ExpertCountsBody(SignalBody):
    """Where a layer of experts sent the tokens of every domain."""

    counts: Annotated[
        dict[Name, Annotated[list[Load], Field(min_length=1, max_length=MOST_EXPERTS)]],
        Field(min_length=1, max_length=MOST_DOMAINS),
    ] = Field(description="Tokens of each expert, or summed gate weights, by domain; as many for each.")
    layer: Annotated[int, Field(ge=0, le=LARGEST_INTEGER)] = Field(description="Index of the layer.")
    gate: Literal["hard", "soft"] = Field(description="Counted tokens, or summed gate weights.")

    @model_validator(mode="after")
    def _alike(self) -> "ExpertCountsBody":
        lengths = sorted({len(row) for row in self.counts.values()})
        if len(lengths) > 1:
            raise ValueError(f"counts of {lengths[0]} and of {lengths[-1]} experts: give as many for each")
        if self.gate == "hard" and not all(n.is_integer() for row in self.counts.values() for n in row):
            raise ValueError("counts of a hard gate must be whole: send gate weights as soft")
        return self


class AdvantagesBody(SignalBody):
    """How much the rollouts of each domain have to teach."""

    absolute_sums: Sizes = Field(description="Summed absolute advantages by domain; null where not finite.")
    rollouts: Counts = Field(description="Rollouts behind those sums.")

    @model_validator(mode="after")
    def _counted(self) -> "AdvantagesBody":
        _need_counts(self.absolute_sums, self.rollouts)
        return self


class BenchmarkScoresBody(SignalBody):
    """What a checkpoint scores."""

    scores: Annotated[dict[Name, FiniteFloat | None], Field(max_length=MOST_TARGETS)] = Field(
        description="Score by benchmark, higher is better; null where it was not measured."
    )
    checkpoint: Name = Field(description="Name of the checkpoint.")


class InfluenceBody(SignalBody):
    """What training on a domain does to targets."""

    influence: TargetNumbers = Field(
        description="By domain and target, how much the target's loss falls: positive is good."
    )
    method: Name = Field(description="How it was estimated.")
    tokens: PositiveCount = Field(description="Tokens that the gradients were accumulated over.")


class SignalsBody(SignalBody):
    """Measurements beside the losses, by kind. A domain that is left out was not observed."""

    loss_squares: Sizes | None = Field(
        default=None, description="Summed squares of the token losses by domain; null where not finite."
    )
    sequence_counts: Counts | None = Field(default=None, description="Sequences drawn by domain.")
    excess_clipped: ClippedExcessBody | None = Field(
        default=None, description="Excess over a reference model, each token's held at 0 from below."
    )
    excess: ExcessBody | None = Field(default=None, description="Excess over a reference model.")
    eval_losses: EvaluationBody | None = Field(default=None, description="Losses on a fixed evaluation set.")
    gram: GramBody | None = Field(default=None, description="Products between the gradients of domains.")
    grad_products: GradientProductsBody | None = Field(
        default=None, description="Products of the gradients of domains with those of targets."
    )
    grad_norms: GradientNormsBody | None = Field(
        default=None, description="Squared norms and variances of the gradients of domains."
    )
    expert_counts: ExpertCountsBody | None = Field(
        default=None, description="Tokens that a layer of experts sent to each expert."
    )
    advantages: AdvantagesBody | None = Field(
        default=None, description="Absolute advantages of rollouts, for post-training."
    )
    bench_scores: BenchmarkScoresBody | None = Field(
        default=None, description="Scores of a checkpoint on benchmarks."
    )
    influence: InfluenceBody | None = Field(
        default=None, description="What training on a domain does to the losses of targets."
    )


def _checked(_: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
    return core_schema.no_info_after_validator_function(
        _as_sent,
        handler(SignalsBody),
        serialization=core_schema.plain_serializer_function_ser_schema(dict),
    )


def _as_sent(body: SignalsBody) -> JsonObject:
    return body.model_dump(exclude_unset=True)


# Checked and documented as a `SignalsBody`, and held as the JSON that is stored.
SignalsJson = Annotated[JsonObject, GetPydanticSchema(_checked)]
