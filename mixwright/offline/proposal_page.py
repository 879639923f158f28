"""Proposals as a page: the mixtures beside the prior, and what is predicted of them."""

from pathlib import Path

from mixlaws.figures.proposal import proposal
from mixwright.offline.page import Page
from mixwright.offline.proposal_tables import judgements, mixtures, predictions
from mixwright.offline.proposing import Proposed
from service.importers.report import ImportReport


def write(path: Path, proposed: Proposed, report: ImportReport) -> None:
    """Write the page."""
    page = Page(f"Proposals from {report.runs} runs")
    if not proposed.proposals:
        page.sentence("no proposal: bounds and caps leave no room", "verdict")
    else:
        gain = proposed.gain(proposed.proposals[0])
        page.sentence(
            f"The first mixture is predicted to be {gain:.4f} nats per token better than the "
            f"{proposed.prior_name}.",
            "verdict",
        )
    for sentence in report.sentences():
        page.sentence(sentence, "dim")
    page.heading("The mixtures")
    named = proposed.problem.domains.to_mapping
    drawn = [(f"proposal {n}", named(p.weights)) for n, p in enumerate(proposed.proposals, start=1)]
    # The first one stands out in the figure, the second is the quiet one to compare it with.
    drawn.insert(1, (proposed.prior_name, named(proposed.prior.weights)))
    page.figure(proposal(proposed.problem.domains.names, dict(drawn)))
    page.table(*mixtures(proposed))
    page.heading("What is predicted of them")
    page.table(*predictions(proposed))
    page.heading("How sure, and how far from what was run")
    page.table(*judgements(proposed))
    page.sentence(
        "Predictions are in nats per token, with half of a 95 % interval where one is known.", "dim"
    )
    page.write(path)
