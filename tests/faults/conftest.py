"""What a soak tells at its end: how much was tried, what came of it, and how to try what failed again."""

from collections import Counter
from typing import Any

import pytest

from tests.support.histories.driving import VARIABLE


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Sum up the schedules of faults, if more of them ran than in every run of all tests."""
    told: list[tuple[pytest.TestReport, dict[str, Any]]] = [
        (report, dict(report.user_properties))
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
    ]
    schedules = [(report, found) for report, found in told if "faults" in found]
    if not schedules:
        return
    faults: Counter[str] = Counter()
    operations: Counter[str] = Counter()
    for _, found in schedules:
        faults.update(found["faults"])
        operations.update(found.get("operations", {}))
    write = terminalreporter.write_line
    terminalreporter.section("schedules of random faults")
    write(f"{len(schedules)} schedules, {faults.total()} faults, {operations.total()} operations")
    for title, counted in (("faults", faults), ("operations", operations)):
        write(f"{title}: " + ", ".join(f"{count} {name}" for name, count in sorted(counted.items())))
    write(f"violations: {sum(found.get('violations', 1) for _, found in schedules)}")
    for report, _ in schedules:
        if report.failed:
            write(f'again: {VARIABLE}={len(schedules)} python -m pytest "{report.nodeid}"')
