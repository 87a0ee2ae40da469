"""What a notice names: headlines, slugs and message numbers, and not those of the story that takes the place. All invented."""

from __future__ import annotations

import pytest

from processors.deduplicate.references import (
    MAX_NAMES,
    named_headlines,
    named_numbers,
    named_slugs,
    normalise_slug,
    repeated_headlines,
    written_slugs,
)

NAME = "Night ferry sinks off Gannet Island"


@pytest.mark.parametrize(
    "text",
    [
        f"Please withdraw the story headlined “{NAME}.” There is no substitute.",
        f"QXN withdraws its story headlined '{NAME}' which moved at 0912 GMT.",
        f'Kill "{NAME}"',
        f"Rogamos anulen la noticia titulada «{NAME}».",
        f"Veuillez annuler la dépêche « {NAME} ».",
        f"Die Meldung „{NAME}“ wird zurückgezogen.",
        f"「{NAME}」の記事を取り消します。",
        "Please withdraw the story that was headlined on Monday “Night ferry sinks\noff Gannet Island” at once.",
    ],
)
def test_headlines_are_quoted(text: str) -> None:
    assert named_headlines("", "", text) == [NAME]
    assert named_headlines(text, "", "") == [NAME]
    assert named_headlines("", text, "") == [NAME]


def test_two_headlines_are_two_names() -> None:
    text = "Please kill the stories headlined “Night ferry sinks” and “Captain of ferry held”."
    assert named_headlines("", "", text) == ["Night ferry sinks", "Captain of ferry held"]


@pytest.mark.parametrize(
    "text",
    [
        f"Please kill “Old headline of a story”. A substitute, “{NAME}”, will follow.",
        f"Kill “Old headline of a story”. Please use “{NAME}” instead.",
        f"Die Meldung „Old headline of a story“ wird zurückgezogen. Neue Fassung: „{NAME}“.",
        f"Veuillez annuler la dépêche « Old headline of a story ». Nouvelle version : « {NAME} ».",
    ],
)
def test_what_takes_the_place_is_no_name(text: str) -> None:
    assert named_headlines("", "", text) == ["Old headline of a story"]


@pytest.mark.parametrize(
    "headline",
    [
        f"KILL: {NAME}", f"KILL NOTICE: {NAME}", f"{NAME} - KILL", f"{NAME} (WITHDRAWN)", f"WITHDRAWN-{NAME}",
        f"URGENT: KILL: {NAME}", f"【記事取り消し】 {NAME}", f"ANNULE - {NAME}", f"{NAME} — TAKEDOWN NOTICE", NAME,
    ],
)  # fmt: skip
def test_headlines_are_repeated_beside_the_mark(headline: str) -> None:
    assert NAME in repeated_headlines(headline, "", "")
    assert NAME in repeated_headlines("", "", f"{headline}\nThe figures were wrong.")


@pytest.mark.parametrize(
    ("slugline", "slug"),
    [
        ("BC-Ferry-Line", "ferry-line"),
        ("BC-Ferry-Line,KILL", "ferry-line"),
        ("BC-Ferry-Line, 1st Ld-Writethru,0085", "ferry-line"),
        ("BC-US--Dam Inspection,0214", "us-dam-inspection"),
        ("BC-US--Dam Inspection-Kill,0040", "us-dam-inspection"),
        ("FERRY-FARES", "ferry-fares"),
        ("FERRY-FARES/ (UPDATE 2)", "ferry-fares"),
        ("ferry fares kill", "ferry-fares"),
        ("KILL", ""),
        ("", ""),
    ],
)
def test_a_slug_is_the_same_in_a_story_and_in_its_kill(slugline: str, slug: str) -> None:
    assert normalise_slug(slugline) == slug


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Kill BC-Ferry-Line, Ostby. The line has not reopened.", "ferry-line"),
        ("Kill FERRY-FARES, Ostby. A kill is mandatory.", "ferry-fares"),
        ("EDITORS: Please kill BC-Gannet Ferry, which moved earlier today.", "gannet-ferry"),
        ("Kill story slugged “gannet-ferry”.", "gannet-ferry"),
        ("Please kill GANNET of 0912 GMT.", "gannet"),
        ("Kill BC-US--Dam Inspection.", "us-dam-inspection"),
        ("Kill FERRY/FARES (WRAPUP 1)", "ferry-fares"),
    ],
)
def test_slugs_are_words_written_as_such(text: str, slug: str) -> None:
    assert slug in {readings[0] for readings in named_slugs("", "", text)}


def test_the_slug_of_a_substitute_is_no_name() -> None:
    text = "Kill FERRY-FARES. Use BOAT-PRICES instead."
    assert named_slugs("", "", text) == [("ferry-fares",)]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Kill a0123, Ostby.", ["a0123"]),
        ("Bitte die Meldung (bln 4711) nicht mehr verwenden.", ["bln4711"]),
        ("Meldung Nr. 0412 vom 21.11.", ["0412"]),
        ("Kill No. 512 and #513.", ["512", "513"]),
    ],
)
def test_message_numbers_are_names(text: str, numbers: list[str]) -> None:
    assert named_numbers("", "", text) == numbers


@pytest.mark.parametrize("part", ["“a” ", "A-B ", "KILL: ", "a0123 ", "kill update 1 ", "'a "])
def test_names_are_few_however_many_a_notice_holds(part: str) -> None:
    text = part * 400
    for find_names in (named_headlines, repeated_headlines, named_slugs, named_numbers):
        assert len(find_names(text, text, text)) <= MAX_NAMES


@pytest.mark.parametrize(
    ("text", "slugs"),
    [
        ("a0412\nr i BC-Gannet-Ferry 03-02 0085\nBC-Gannet-Ferry,0085\nThe ferry left.", ["gannet-ferry"]),
        ("^BC-Gannet-Ferry,0085<\nThe ferry left.", ["gannet-ferry"]),
        ("The night-ferry left.\nIt sank.", []),
        ("One.\nTwo.\nThree.\nBC-Gannet-Ferry,0085", []),
    ],
)
def test_slugs_are_read_above_a_dispatch(text: str, slugs: list[str]) -> None:
    assert list(dict.fromkeys(written_slugs(text))) == slugs
