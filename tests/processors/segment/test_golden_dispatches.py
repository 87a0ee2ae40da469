"""Golden pairs: a whole dispatch of each agency, and its parts as a reader would mark them.

`golden/NAME.txt` is the dispatch as it comes over the wire, `golden/NAME.expected` what must be found in it; `printing`
tells how to read that. The expected files are written by hand: a difference is a fault of one of the two.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from config.lexicon import agencies
from processors.dates.calendar import fold_accents
from tests.processors.segment.printing import GOLDEN, printed, segmented

DISPATCHES = sorted(GOLDEN.glob("*.txt"))
AGENCIES = [agency.name for agency in agencies().agency]


@pytest.mark.parametrize("path", DISPATCHES, ids=lambda path: path.stem)
def test_a_dispatch_is_taken_apart_as_a_reader_would(path: Path) -> None:
    assert printed(segmented(path.read_bytes())) == path.with_suffix(".expected").read_text("utf-8")


@pytest.mark.parametrize("agency", AGENCIES)
def test_every_agency_of_the_lexicon_has_a_golden_pair(agency: str) -> None:
    stem = re.sub(r"\W+", "-", fold_accents(agency))
    assert (GOLDEN / f"{stem}.txt").exists()
    assert (GOLDEN / f"{stem}.expected").exists()


def test_no_expectation_is_left_without_its_dispatch() -> None:
    assert {path.stem for path in GOLDEN.glob("*.expected")} == {path.stem for path in DISPATCHES}
