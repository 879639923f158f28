"""Nested laws: from curves of small models on a few mixtures to any mixture at any scale.

    step law: each curve on to the tokens asked for
    -> size law: each mixture on to the model size asked for
    -> mixing law: from the mixtures that were run to all others

Source: Ye et al. 2024, arXiv:2403.16952, section on nesting scaling laws, where a mixture for 1B parameters
and 100B tokens is chosen from runs of 70M to 410M parameters and 30B tokens. Any estimator serves as the
mixing law.

Errors add up unevenly. Nats per group of validation text on the published five-domain runs: size law, from
305M to 410M, .008; step law, to half as many tokens again, .013 to .016; mixing law, to mixtures not run,
.012 (Gaussian process) to .03 (exponential). A prediction holds for one model size and number of tokens, and
says so.
"""

from dataclasses import dataclass, field

import numpy as np

from mixlaws.arrays import FloatArray, JsonObject
from mixlaws.domains import DomainSet
from mixlaws.errors import CurveTooShortError, StateError
from mixlaws.estimator import AnyEstimator, DifferentiablePredictor, Predictor
from mixlaws.laws.exponential import ExponentialLaw
from mixlaws.scaling.curves import LossCurves
from mixlaws.scaling.size_law import SizeLaw
from mixlaws.scaling.step_law import FittedStepLaw, StepLaw
from mixlaws.scaling.table import MixtureTable, check_scale

SCHEMA = 1


@dataclass(frozen=True, eq=False)
class PredictorAtScale:
    """A mixing law fitted on extrapolated losses.

    Args:
        mixing_law: the predictor that was fitted.
        model_parameters: size of the model for which it holds.
        tokens: training tokens for which it holds.
    """

    mixing_law: Predictor
    model_parameters: float
    tokens: float

    def predict(self, weights: FloatArray, /) -> FloatArray:
        """(n, t) targets of (n, d) mixtures at that scale, run or not."""
        return self.mixing_law.predict(weights)

    def dump(self) -> JsonObject:
        """The mixing law, and the scale for which it holds."""
        return {
            "schema": SCHEMA,
            "predictor": "at_scale",
            "model_parameters": self.model_parameters,
            "tokens": self.tokens,
            "mixing_law": self.mixing_law.dump(),
        }


@dataclass(frozen=True, eq=False)
class DifferentiablePredictorAtScale(PredictorAtScale):
    """The same with a mixing law that knows its slopes."""

    mixing_law: DifferentiablePredictor

    def jacobian(self, weights: FloatArray, /) -> FloatArray:
        """(n, t, d) derivatives at that scale."""
        return self.mixing_law.jacobian(weights)


@dataclass(frozen=True, eq=False)
class FittedNestedLaw:
    """Fitted step laws, and what is fitted on them once a scale is named.

    Args:
        domains: the domains of axis d.
        targets: names of the targets of axis t.
        steps: a step law of every curve.
        size: hyperparameters of the size law.
        law: the mixing law to fit.
        seed: of the mixing law's fits: one scale has one answer.
    """

    domains: DomainSet
    targets: tuple[str, ...]
    steps: FittedStepLaw
    size: SizeLaw
    law: AnyEstimator
    seed: int

    def table(self, *, model_parameters: float, tokens: float) -> MixtureTable:
        """The mixtures that were run, at a scale: step law and size law without the mixing law.

        Raises:
            CurveTooShortError: a mixture was run at too few sizes, unless its only size is asked for.
        """
        check_scale(model_parameters=model_parameters, tokens=tokens)
        sizes = np.unique(self.steps.model_parameters)
        if len(sizes) == 1:
            if not np.isclose(sizes[0], model_parameters, rtol=1e-9):
                raise CurveTooShortError(method="another model size", what="model size", needed=2, got=1)
            return self.steps.at(model_parameters=model_parameters, tokens=tokens)
        tables = [self.steps.at(model_parameters=float(size), tokens=tokens) for size in sizes]
        counts = [len(table.weights) for table in tables]
        extrapolated = LossCurves(
            self.domains,
            self.targets,
            np.concatenate([table.weights for table in tables]),
            np.concatenate([table.values for table in tables]),
            model_parameters=np.repeat(sizes, counts),
            tokens=np.full(sum(counts), float(tokens)),
            runs=np.arange(sum(counts)),
        )
        return self.size.fit(extrapolated).at(model_parameters=model_parameters, tokens=tokens)

    def at(self, *, model_parameters: float, tokens: float) -> PredictorAtScale:
        """A predictor of all mixtures at a scale.

        Raises:
            CurveTooShortError: a mixture was run at too few sizes.
            SwarmTooSmallError: too few mixtures for the mixing law.
            FitError: the mixing law found no fit.
        """
        table = self.table(model_parameters=model_parameters, tokens=tokens)
        swarm = table.swarm(self.domains, self.targets)
        fitted = self.law.fit(swarm, rng=np.random.default_rng(self.seed))
        if isinstance(fitted, DifferentiablePredictor):
            return DifferentiablePredictorAtScale(fitted, table.model_parameters, table.tokens)
        return PredictorAtScale(fitted, table.model_parameters, table.tokens)

    def dump(self) -> JsonObject:
        """The step laws and the seed; size law and mixing law are fitted anew, and come out the same."""
        return {
            "schema": SCHEMA,
            "law": "nested",
            "domains": list(self.domains.names),
            "tokens": list(self.domains.tokens),
            "targets": list(self.targets),
            "steps": self.steps.dump(),
            "seed": self.seed,
        }


@dataclass(frozen=True)
class NestedLaw:
    """Hyperparameters of the nesting.

    Args:
        step: the step law.
        size: the size law.
        law: the mixing law, an estimator with its own hyperparameters.
    """

    step: StepLaw = field(default_factory=StepLaw)
    size: SizeLaw = field(default_factory=SizeLaw)
    law: AnyEstimator = field(default_factory=ExponentialLaw)

    def fit(self, curves: LossCurves, /, *, rng: np.random.Generator) -> FittedNestedLaw:
        """Fit the step law of every curve; the rest waits for a scale.

        Raises:
            CurveTooShortError: a curve has too few checkpoints.
            FitError: a target is negative.
        """
        seed = int(rng.integers(2**31))
        return FittedNestedLaw(
            curves.domains, curves.targets, self.step.fit(curves), self.size, self.law, seed
        )

    def load(self, raw: JsonObject, /) -> FittedNestedLaw:
        """Rebuild a fitted law from its dump, with the size law and mixing law of this estimator."""
        if raw.get("law") != "nested" or raw.get("schema") != SCHEMA:
            raise StateError(f"not a dump of the nested law, schema {SCHEMA}: {raw.get('law')!r}")
        domains = DomainSet(tuple(raw["domains"]), tuple(raw["tokens"]))
        steps = self.step.load(raw["steps"])
        return FittedNestedLaw(domains, tuple(raw["targets"]), steps, self.size, self.law, int(raw["seed"]))
