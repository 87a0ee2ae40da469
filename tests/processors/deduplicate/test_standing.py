"""What a sender prints on every story is no part of what is compared."""

from __future__ import annotations

import pytest

from config.settings import Deduplicate
from processors.deduplicate import Deduplicator
from processors.deduplicate.standing import read_report, strip_standing_matter
from processors.deduplicate.standing_lines import StandingLines
from processors.model.event import Event
from processors.model.story import Story
from tests.processors.deduplicate.stories import event, report

REPORT = "The ferry to Ostrand stays in port until the ice has gone, its master said on Monday.\nNo other boat will sail."


@pytest.mark.parametrize(
    "text",
    [
        f"PORT ALDER, Jan 22 (NNA) - {REPORT}",
        f"Port Alder, 22 janvier (Quai Presse) - {REPORT}",
        f"{REPORT} (Reporting by Ada Brandt; Editing by Ivo Crane)",
        f"{REPORT}\n\n(Reporting by Ada Brandt; Editing by Ivo Crane)",
        f"{REPORT}\n© 2026 Morrowby News. All rights reserved.",
        f"{REPORT}\nRead more: the ferry's long winter\n\nCopyright 2026 Morrowby News\nE-mail: desk@example.org",
        f"{REPORT}\n\nab/cd",
    ],
)
def test_a_report_is_what_remains(text: str) -> None:
    assert strip_standing_matter(text) == REPORT


@pytest.mark.parametrize("text", [REPORT, "", "One.", "The copyright of the song is the master's."])
def test_prose_stays(text: str) -> None:
    assert strip_standing_matter(text) == text


def test_a_short_first_sentence_is_no_agency() -> None:
    assert strip_standing_matter("Alder, 22 Jan - Ferry sinks. Nobody was hurt.").startswith("Ferry sinks.")


def test_of_a_story_that_is_all_standing_matter_the_headline_is_compared() -> None:
    story = Event(Story("urn:1"), "Ferry stays in port", "© 2026 Morrowby News. All rights reserved.")
    assert read_report(story, StandingLines()).text == "Ferry stays in port"


def test_briefs_with_one_copyright_line_stay_apart() -> None:
    tail = (
        "© 2026 Morrowby News Agency. All rights reserved. No part of this may be stored, printed, read out or sent "
        "on without the leave of the agency, whose terms of service all of its readers have to accept."
    )
    briefs = [
        event(f"urn:{number}", f"{report(number, sentences=1)}\n\n{tail}", f"Brief number {number}")
        for number in range(150)
    ]
    decisions = Deduplicator(Deduplicate()).decide_all(briefs)
    assert [decision.lineage.relation for decision in decisions] == ["new"] * 150


def test_a_copy_with_another_dateline_and_tail_is_a_duplicate() -> None:
    first = event("urn:1", f"PORT ALDER, Jan 22 (NNA) - {REPORT}\n\n(Reporting by Ada Brandt)", "Ferry stays")
    again = event("urn:2", f"{REPORT}\n\n© 2026 Morrowby News. All rights reserved.", "Ferry stays")
    assert Deduplicator(Deduplicate()).decide_all([first, again])[1].lineage.relation == "duplicate"
