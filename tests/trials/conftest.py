"""Trials: what others do to Kafka and the index, on real servers. ``make trials`` runs them and prints their table.

They take minutes, so other runs of the tests leave them out: ``WIRETEST_TRIALS=1`` takes them in. A trial is a test
with the mark ``trial("11", "raw topic deleted and made anew")`` that uses the fixture of that name.
"""

from __future__ import annotations

import os
from typing import Final

import pytest

from tests.trials.trial import Trial, as_table

VARIABLE: Final = "WIRETEST_TRIALS"
TRIALS: Final = pytest.StashKey[list[Trial]]()


@pytest.fixture
def trial(request: pytest.FixtureRequest) -> Trial:
    """The measurements of this test's situation."""
    mark = request.node.get_closest_marker("trial")
    assert mark, "a trial has the mark `trial` with its number and situation"
    made = Trial(*mark.args)
    request.config.stash.setdefault(TRIALS, []).append(made)
    return made


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get(VARIABLE):
        return
    for item in items:
        if item.get_closest_marker("trial"):
            item.add_marker(pytest.mark.skip(reason=f"takes long; {VARIABLE}=1 or make trials"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if trials := config.stash.get(TRIALS, []):
        terminalreporter.section("trials")
        for line in as_table(trials):
            terminalreporter.write_line(line)
