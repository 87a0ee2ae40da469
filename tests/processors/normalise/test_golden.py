"""Golden pairs: a document of each format, and the events that it makes.

``python -m tests.processors.normalise.test_golden`` writes the expected files anew; read the difference before it is
committed.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.processors.normalise.samples import INPUTS, as_json, outcomes


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.name)
def test_a_document_makes_the_expected_events(path: Path) -> None:
    expected = json.loads(_expected(path).read_text("utf-8"))
    assert as_json(outcomes(path.read_bytes())) == expected


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.name)
def test_the_same_bytes_make_the_same_events(path: Path) -> None:
    assert as_json(outcomes(path.read_bytes())) == as_json(outcomes(path.read_bytes()))


def _expected(path: Path) -> Path:
    return path.with_name(f"{path.name}.expected.json")


if __name__ == "__main__":
    for document in INPUTS:
        told = json.dumps(as_json(outcomes(document.read_bytes())), indent=1, ensure_ascii=False)
        _expected(document).write_text(told + "\n", "utf-8")
