"""What looks like a dateline, a caption, a sign-off or standing matter, and is the story."""

from __future__ import annotations

import pytest

from processors.layout import lay_out

LEAD = "TALLOW CREEK (AP) — The council voted on Tuesday to close the old ferry slip after two winters of repairs."
PROSE = (
    "The harbour has been closed since the storm of last winter, and nobody knows when it will open again."
)
MORE = "Work on the new one begins in March, according to the plan that the council has had since autumn."


def kinds(*paragraphs: str) -> list[str]:
    """The kinds of the segments of a text whose headline came apart."""
    return [segment.kind for segment in lay_out("\n\n".join(paragraphs), headline="Ferry slip to close")]


@pytest.mark.parametrize(
    "line",
    [
        "Ana Brook (AB): Good morning, how are you doing?",
        "Traceback (most recent call last): the program stopped.",
        "Buoy (noun): a float that is moored, to mark a channel.",
        "UPDATED 2026-05-03: the slip will stay open until the end of the month.",
        "Part 1: how the slip came to be built, and by whom, and what it cost.",
        "NAME = “Tallow Creek”, which is what the new ferry is going to be called.",
        "1.01: The first chapter tells of the slip, and of the men who built it.",
        "Tide-Level Survey (TLS) - a count of the highest tides of every month.",
    ],
)
def test_words_before_a_colon_or_a_dash_are_no_dateline(line: str) -> None:
    assert "dateline" not in kinds(line, PROSE)


@pytest.mark.parametrize(
    ("line", "dateline"),
    [
        ("Guwahati, Nov 12: The ferry was late again on Thursday, its owner said.", "Guwahati, Nov 12:"),
        ("HOLMSVIK (NTB): Fergen var forsinket igjen torsdag, sier rederiet.", "HOLMSVIK (NTB):"),
        ("November 21, 2026 – Tallow Creek Foods today named a new chief executive.", "November 21, 2026 –"),
    ],
)
def test_a_colon_or_a_date_with_better_evidence_ends_a_dateline(line: str, dateline: str) -> None:
    text = f"{line}\n\n{PROSE}"
    found = next(segment for segment in lay_out(text, headline="Ferry late") if segment.kind == "dateline")
    assert text[found.start : found.end] == dateline


def test_a_date_below_the_beginning_of_the_story_is_no_dateline() -> None:
    assert (
        kinds(PROSE, MORE, "June 14, 2026 - The slip was closed once more, for a day.") == ["paragraph"] * 3
    )


@pytest.mark.parametrize(
    "line",
    [
        "The committee asked the person(s) responsible to come forward before Friday and to explain it.",
        "Sen. John Harrow (R) voted against the bill, which he called too costly for towns of that size.",
        "“We will see,” Gov. Ana Brook (D) answered, and left the building without taking questions.",
        "Harrow (R) and Brook (D) have been at odds over the slip since the election of two years ago.",
        "Under section 5 (c) the council is free to sell the slip to whoever keeps it open to the public.",
        "In a village nearby, people were still waiting for the ferry that had left two hours before.",
        "On this coast, where the tide is high, the slips are still made of oak and rebuilt every ten years.",
    ],
)
def test_brackets_and_still_make_no_caption(line: str) -> None:
    assert kinds(LEAD, line, PROSE) == ["dateline", "paragraph", "paragraph", "paragraph"]


@pytest.mark.parametrize(
    "caption",
    [
        "Mayor Ana Ruiz (L) and harbour master Jon Vik (R) look at the slip in Tallow Creek on Tuesday.",
        "El alcalde Jon Vik (i) conversa con la jefa del puerto en el muelle de Vigo.",
        "Ana Ruiz (2d) y Jon Vik (i) en el muelle de Vigo.",
        "Jon Vik (r.) und Ana Ruiz auf der Fähre in Holmsund.",
        "In this Nov. 20, 2026, photo, the ferry lies at the old slip in Tallow Creek.",
        "People wait for the ferry in an undated handout photo from the harbour's own collection.",
    ],
)
def test_sides_and_pictures_make_a_caption(caption: str) -> None:
    assert kinds(LEAD, PROSE, caption, MORE)[3] == "caption"


@pytest.mark.parametrize(
    "line",
    [
        "About 300 people attended the meeting.",
        "About half of them left before the vote.",
        "Over 300 tonnes of oak were ordered.",
        "subscribe to ordinary shares of the harbour company.",
        "Reuters reported the closure of the slip first.",
        "Source waters of the creek are what allows the mill to run.",
        "From Reuters:",
    ],
)
def test_a_short_sentence_is_neither_standing_matter_nor_a_sign_off(line: str) -> None:
    assert kinds(LEAD, line, PROSE, MORE)[2] in {"paragraph", "subhead"}
    assert kinds(LEAD, line, PROSE, MORE)[3:] == ["paragraph", "paragraph"]


@pytest.mark.parametrize(
    "heading",
    ["About Tallow Creek Foods, Inc.", "About the Holm Fund", "Über die Holm AG", "About 3M", "About us"],
)
def test_a_heading_with_a_name_opens_standing_matter(heading: str) -> None:
    assert kinds(LEAD, PROSE, heading, "It was founded in 1923 and runs four ferries.")[3:] == ["boilerplate"]


@pytest.mark.parametrize("line", ["SOURCE Tallow Creek Foods, Inc.", "- END -", "-more-", "Ende"])
def test_the_last_line_signs_off(line: str) -> None:
    assert kinds(LEAD, PROSE, line)[3:] == ["signoff"]


def test_a_name_that_opens_like_a_byline_opens_a_sentence() -> None:
    line = "De Kock, asked about the slip on television, gave no figure for its cost."
    assert kinds(LEAD, line, PROSE) == ["dateline", "paragraph", "paragraph", "paragraph"]


@pytest.mark.parametrize("line", ["## What we learned", "# Testing the slip"])
def test_a_heading_of_markdown_is_a_subhead(line: str) -> None:
    assert kinds(LEAD, line, PROSE) == ["dateline", "paragraph", "subhead", "paragraph"]
