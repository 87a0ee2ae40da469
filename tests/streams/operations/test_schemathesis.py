"""Schemathesis asks the desk what its document allows, and what it forbids: no 5xx, and every answer as described."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.sinks.conftest import Shelf
from tests.sinks.events import dispatch, event
from tests.streams.operations.test_desk_control import Operated, operated, reject, shelf

__all__ = ["operated", "shelf"]

# A cursor, an address, a choice of letters may fit its schema and mean nothing: that is a 400 with a message, which this
# check would call a fault.
EXCLUDED_CHECKS = "positive_data_acceptance"


async def test_every_answer_is_as_described(operated: Operated, shelf: Shelf, tmp_path: Path) -> None:
    shelf.put(dispatch(), event("urn:b", minute=3))
    reject(operated.log, 3)
    document = str(operated.desk.make_url("/api/openapi.json"))
    process = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).with_name("schemathesis")), "run", document, "--no-color"),
        *("--header", f"Authorization: Bearer {operated.operator}", "--exclude-path-regex", "stream$"),
        *("--phases", "coverage,fuzzing", "--max-examples", "3", "--seed", "1", "--generation-deterministic"),
        *("--exclude-checks", EXCLUDED_CHECKS, "--continue-on-failure"),
        *("--suppress-health-check", "all", "--request-timeout", "60", "--warnings", "off", "--no-shrink"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    assert "No issues found" in output.decode() or "0 failures" in output.decode(), output.decode()
