"""A running wiredesk goes on polling and showing while callers mean harm (`tests.benchmarks.hostile_callers`, small)."""

from __future__ import annotations

import argparse

import pytest

from tests.benchmarks.hostile_callers import main

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]


async def test_polls_and_desk_go_on_under_callers_that_mean_harm(capsys: pytest.CaptureFixture[str]) -> None:
    few = argparse.Namespace(idle=200, bodies=12, readers=210, files=256, seconds=1.5, json=None)
    status = await main(few)
    table = capsys.readouterr().out
    assert status == 0, table
    lines = int(table.rpartition(" lines in the log")[0].rpartition("\n")[2])
    assert lines < 500, "callers fill no log"
