"""The example of the client walks from a study to a job that begins with the mixture that was proposed."""

import runpy
from pathlib import Path

from tests.support.servers import Service

EXAMPLE = Path(__file__).parents[2] / "examples" / "runs_of_your_own.py"


def test_the_example_ends_with_a_job_that_begins_with_its_proposal(service: Service) -> None:
    main = runpy.run_path(str(EXAMPLE))["main"]
    assert main(service.url, service.key, "own") == "own"
    states = {run["client_id"]: run["state"] for run in service.client.runs("own")}
    assert states == {f"mine-{number}": "completed" for number in range(24)}
    (fit,), (proposal,) = service.client.fits("own"), service.client.proposals("own")
    assert (fit["state"], proposal["state"]) == ("done", "done")
    stages = service.client.schedule("own").value["stages"]
    assert stages[0]["weights"] == proposal["proposals"][0]["weights"]
    assert main(service.url, service.key, "own") == "own"
    assert len(service.client.runs("own")) == 24
    assert len(service.client.jobs()) == 1
