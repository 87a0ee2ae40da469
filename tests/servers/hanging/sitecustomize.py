"""Makes steps of any process hang whose ``PYTHONPATH`` has this folder: ``WIRETEST_HANG=tag,normalise,poll``.

A step hangs on what holds the words "hangs in <step>", as a regular expression with a bad pattern does: it holds the
interpreter, so that nothing in its own process can end it; but it leaves the processor to others. The file of
``WIRETEST_HANG_LOG`` gets a line each time.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def hang(step: str) -> None:
    """Return in ten minutes."""
    if path := os.environ.get("WIRETEST_HANG_LOG"):
        with Path(path).open("a", encoding="utf-8") as log:
            log.write(f"{step}\n")
    ctypes.PyDLL(None).sleep(600)


def patch_step(name: str) -> None:
    """Let a step hang on some inputs."""
    from streams import steps

    load, words = steps.STAGE_LOADERS[name], f"hangs in {name}"

    class HangingStage:
        def __init__(self, settings: Any) -> None:
            self._stage = load(settings)
            self.restore, self.sizes = self._stage.restore, self._stage.sizes

        def __call__(self, items: Sequence[Any]) -> list[steps.StageOutcome]:
            for item in items:
                text = item.payload.decode("utf-8", "replace") if hasattr(item, "payload") else item.text
                if words in text:
                    hang(name)
            return self._stage(items)

    steps.STAGE_LOADERS[name] = HangingStage


def patch_judge() -> None:
    """Let the judge of polled documents hang on some of them."""
    from streams.pollers import documents, judge

    def hanging(body: bytes, *arguments: Any) -> documents.FeedDocument:
        if b"hangs in poll" in body:
            hang("poll")
        return documents.split_document(body, *arguments)

    vars(judge)["split_document"] = hanging


for step in filter(None, os.environ.get("WIRETEST_HANG", "").split(",")):
    patch_judge() if step == "poll" else patch_step(step)
