"""What docs/live.md shows of policies runs as it is printed."""

import re
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).parents[3] / "docs" / "live.md"


def test_the_example_gives_more_to_the_domain_of_the_larger_loss() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(block, names)  # noqa: S102
    (stage,) = names["policy"].stages(names["state"])
    assert stage.weights[0] > stage.weights[1]
