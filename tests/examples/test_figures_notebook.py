"""The notebook of figures runs from its first cell to its last, and says what is true of its simulation."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "examples" / "figures.ipynb"
FIGURE = "application/vnd.plotly.v1+json"


def test_the_notebook_draws_its_figures_and_its_proposal_beats_the_uniform_mixture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Jupyter keeps files in the home of whoever runs it.
    for folder in ("JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(folder, str(tmp_path / folder))
    monkeypatch.setenv("PLOTLY_RENDERER", "plotly_mimetype")
    notebook = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    assert not any(cell.get("outputs") for cell in notebook.cells), "outputs are committed: clear them"
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    drawn = [output for output in outputs if FIGURE in output.get("data", {})]
    assert len(drawn) == 10
    text = "".join(output.get("text", "") for output in outputs)
    assert re.search(r"is a (good|fair) guide: it ranks 35 runs that it did not see", text), text
    regrets = re.search(r"the proposal (\d+\.\d+) nats, the uniform mixture (\d+\.\d+)", text)
    assert regrets is not None, text
    proposal, uniform = map(float, regrets.groups())
    assert proposal < uniform
    assert not [
        output for output in outputs if output["output_type"] == "stream" and output["name"] == "stderr"
    ]
