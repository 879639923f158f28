"""What a probe measured is what the service reads."""

from typing import Any

import numpy as np
import torch

from mixlaws.domains import DomainSet
from mixlaws.feedback import Evaluation, TokenSums
from mixlaws.measurements import ExpertCounts, GradientNorms, Influence
from proxy_training.probes.gradients import DomainGradients
from proxy_training.probes.reporting import (
    evaluation,
    excess,
    expert_counts_body,
    grad_norms_body,
    grad_products_body,
    gram_body,
    influence_body,
)
from service.jobs.adding import added
from service.jobs.signals import SignalsBody

NAMES = ("web", "code", "maths")  # not in the order of the alphabet


def same(found: Any, known: Any) -> None:
    """Arrays, and numbers and names beside them, are equal; NaN is where it was."""
    for name, value in vars(known).items():
        if isinstance(value, np.ndarray):
            np.testing.assert_allclose(getattr(found, name), value, rtol=1e-12, err_msg=name)
        else:
            assert getattr(found, name) == value, name


def test_measurements_come_back_from_the_service_as_they_were() -> None:
    generator = torch.Generator().manual_seed(0)
    sums, aims = torch.randn(1, 3, 50, generator=generator), torch.randn(1, 2, 50, generator=generator)
    gradients = DomainGradients(sums, torch.tensor([[4, 0, 2]]), "head")
    targets = DomainGradients(aims, torch.tensor([[3, 3]]), "head")
    gram = gradients.gram()
    products = gradients.products(targets, learning_rate=0.1, names=("exams", "proofs"))
    norms = GradientNorms(np.array([1.0, np.nan, -0.5]), np.array([2.0, np.nan, 3.0]), 6)
    loads = ExpertCounts(np.array([[3.0, 1.0], [0.0, 0.0], [2.0, 2.0]]), 5, "hard")
    influence = Influence(np.array([[1.0, -2.0], [np.nan] * 2, [0.5, 0.0]]), ("exams", "proofs"), "ekfac", 99)
    held_out = Evaluation(np.array([5.0, 0.0, 7.0]), np.array([2, 0, 3]), step=8, set_hash="abc")
    plain = TokenSums(np.array([-1.0, 0.0, 2.0]), np.array([2, 0, 3]))
    sent, more = evaluation(held_out), excess(plain, reference="first")
    body = {
        "gram": gram_body(gram, NAMES),
        "grad_products": grad_products_body(products, NAMES),
        "grad_norms": grad_norms_body(norms, NAMES),
        "expert_counts": expert_counts_body(loads, NAMES),
        "influence": influence_body(influence, NAMES),
        "eval_losses": {
            "sums": dict(zip(NAMES, sent.sums, strict=True)),
            "counts": dict(zip(NAMES, sent.counts, strict=True)),
            "set": sent.set,
            "step": sent.step,
        },
        "excess": {
            "sums": dict(zip(NAMES, more.sums, strict=True)),
            "counts": dict(zip(NAMES, more.counts, strict=True)),
            "reference": more.reference,
        },
    }
    read = added(
        DomainSet(NAMES, (1, 1, 1)),
        [SignalsBody.model_validate(body).model_dump(mode="json", exclude_none=True)],
    )
    known = {
        "gram": gram,
        "grad_products": products,
        "grad_norms": norms,
        "expert_counts": loads,
        "influence": influence,
        "evaluation": held_out,
        "excess": plain,
    }
    for field, value in known.items():
        same(read[field], value)
