"""Each tuned figure of the readers does its work: one case just below it, one just above."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from processors.errors import NotText, Rejected
from processors.normalise import language
from processors.normalise.decode import decode, decode_wire
from processors.normalise.dispatch import split_dispatches
from processors.normalise.formats import sniff
from processors.normalise.geometry import shape
from processors.normalise.language import _plain_language, identify_language
from processors.normalise.text import repair_mojibake, with_dateline
from processors.normalise.values import timestamp, whole_number
from processors.normalise.wire import find_wire_date
from processors.normalise.xml import replace_entities
from processors.sources import made_uri
from tests.processors.normalise.samples import one, outcomes

COPY = "The ferry to the island stops at noon, the harbour master said on Thursday, and nobody knows for how long."


@pytest.mark.parametrize(("brackets", "letter"), [(2, "}"), (3, "ü")])
def test_three_brackets_in_words_are_letters(brackets: int, letter: str) -> None:
    words = "B}rger " * brackets + "und andere Menschen in der Stadt"
    assert decode_wire(words.encode(), language="de").count(letter) == brackets


@pytest.mark.parametrize(("length", "letter"), [(1200, "ü"), (1201, "}")])
def test_a_bracket_in_400_characters_is_a_letter(length: int, letter: str) -> None:
    words = ("B}rger " * 3).ljust(length, ".")
    assert letter in decode_wire(words.encode(), language="de")


@pytest.mark.parametrize(("high", "is_read"), [(29, True), (31, False)])
def test_seven_of_ten_zeros_are_sixteen_bits_without_a_mark(high: int, is_read: bool) -> None:
    words = "\u0416" * high + "a" * (100 - high)
    try:
        text = decode(words.encode("utf-16-le"))
    except NotText:
        text = ""
    assert (text == words) is is_read


@pytest.mark.parametrize(("stray", "count"), [(b"\0", 2), (b"\x05", 8)])
def test_a_few_control_bytes_are_strays_and_more_are_no_text(stray: bytes, count: int) -> None:
    assert decode(COPY.encode() + stray * count).startswith(COPY)
    with pytest.raises(NotText):
        decode(COPY.encode() + stray * (count + 1))


@pytest.mark.parametrize(("behind", "is_believed"), [(0, True), (1, False)])
def test_an_encoding_is_declared_in_the_first_two_kilobytes(behind: int, is_believed: bool) -> None:
    declaration = b"<meta charset=iso-8859-2>"
    words = b"caf\xe8"  # which undeclared is the Italian word
    page = b"<html><!--" + b"-" * (2048 - 13 - len(declaration) + behind) + b"-->" + declaration + words
    assert decode(page).endswith("cafč" if is_believed else "cafè")


@pytest.mark.parametrize(("letters", "is_repaired"), [(2, False), (3, True)])
def test_three_letters_of_another_script_are_mojibake(letters: int, is_repaired: bool) -> None:
    broken = "Правда"[:letters].encode().decode("latin-1")
    assert (repair_mojibake(broken)[0] != broken) is is_repaired


@pytest.mark.parametrize(("before", "is_added"), [(60, False), (61, True)])
def test_a_dateline_may_stand_sixty_characters_behind_a_credit(before: int, is_added: bool) -> None:
    text = f"{'x' * (before - 1)} PORT ALDER (NNA) - The ferry stops."
    assert with_dateline(text, "PORT ALDER").startswith("PORT ALDER") is is_added


@pytest.mark.parametrize(("year", "is_date"), [(1799, False), (1800, True)])
def test_dates_before_1800_mean_none(year: int, is_date: bool) -> None:
    assert (timestamp(f"{year}-01-22 15:30") is not None) is is_date


@pytest.mark.parametrize(("length", "is_hashed"), [(400, False), (401, True)])
def test_an_identifier_over_400_characters_becomes_a_hash(length: int, is_hashed: bool) -> None:
    assert (len(made_uri("guid", "nna", "x" * length)) < 100) is is_hashed


@pytest.mark.parametrize(("digits", "is_number"), [(15, True), (16, False)])
def test_a_number_has_fifteen_digits_at_most(digits: int, is_number: bool) -> None:
    assert (whole_number("9" * digits) is not None) is is_number


@pytest.mark.parametrize(("length", "is_replaced"), [(500, True), (501, False)])
def test_an_entity_is_five_hundred_characters_at_most(length: int, is_replaced: bool) -> None:
    document = f'<!DOCTYPE rss [<!ENTITY a "{"x" * length}">]><rss>&a;</rss>'
    assert ("&a;" not in replace_entities(document)) is is_replaced


@pytest.mark.parametrize(("references", "left"), [(200, 0), (201, 1)])
def test_entities_add_a_hundred_thousand_characters_at_most(references: int, left: int) -> None:
    document = f'<!DOCTYPE rss [<!ENTITY a "{"x" * 500}">]><rss>{"&a;" * references}</rss>'
    assert replace_entities(document).count("&a;") == left


@pytest.mark.parametrize(("padding", "is_replaced"), [(59_000, True), (60_000, False)])
def test_entities_are_declared_in_the_first_sixty_thousand_characters(
    padding: int, is_replaced: bool
) -> None:
    document = f'<!--{"x" * padding}--><!DOCTYPE rss [<!ENTITY a "wall">]><rss>&a;</rss>'
    assert ("&a;" not in replace_entities(document)) is is_replaced


@pytest.mark.parametrize(("positions", "east"), [(9_999, 9.0), (10_000, 1.0)])
def test_ten_thousand_positions_of_a_shape_count(positions: int, east: float) -> None:
    point = shape([(0.0, 0.0), *[(1.0, 1.0)] * (positions - 1), (9.0, 9.0)])
    assert point is not None
    assert point.bbox is not None
    assert point.bbox[2] == east


@pytest.mark.parametrize(("wrappers", "is_read"), [(4, True), (5, False)])
def test_items_are_found_in_four_wrappers(wrappers: int, is_read: bool) -> None:
    value: object = {"uri": "urn:x:1", "type": "text", "headline": "Ferry"}
    for _ in range(wrappers):
        value = {"data": value}
    try:
        events = outcomes(json.dumps(value))
    except Rejected:
        events = []
    assert bool(events) is is_read


@pytest.mark.parametrize(("padding", "format_"), [(19_000, "rss"), (20_000, "xml")])
def test_a_root_is_sniffed_in_the_first_twenty_thousand_characters(padding: int, format_: str) -> None:
    assert sniff(f"<?xml version='1.0'?><!--{'x' * padding}--><rss><channel/></rss>") == format_


@pytest.mark.parametrize(
    ("fields", "format_"),
    [("From: a@nna.example\n", "plain-text"), ("From: a@nna.example\nSubject: A\n", "email")],
)
def test_two_header_fields_are_a_mail(fields: str, format_: str) -> None:
    assert sniff(f"{fields}\nThe ferry stops.") == format_


GERMAN = "Die Stadt will die Mauer des Hafens bis zum Frühjahr erneuern, sagte der Bürgermeister am Montag, und das Geld ist da."


@pytest.mark.parametrize(("letters", "tag"), [(39, "en"), (40, "fi")])
def test_forty_letters_that_are_no_names_contradict_a_declared_language(letters: int, tag: str) -> None:
    names = "Satamakaupunki Merikylä Rantalahti Kivisaari "  # capitals: names for all that the words say
    words = "sataman muuri korjataan keväällä kaupungin rahoilla"
    count, sample = 0, ""
    for char in words:
        count += char != " "
        sample += char
        if count == letters:
            break
    assert identify_language(names + sample, "en").tag == tag


@pytest.mark.parametrize(("words", "confidence"), [(29, 1.0), (30, 0.99)])
def test_thirty_words_of_plain_english_spare_the_classifier(words: int, confidence: float) -> None:
    text = " ".join(
        ("the ferry stops at noon and the people of the town are not glad of it " * 3).split()[:words]
    )
    assert identify_language(text).confidence == pytest.approx(confidence, abs=0.006)


@pytest.mark.parametrize(("count", "by"), [(1_150, "Ann Lark"), (1_250, None)])
def test_a_byline_of_anpa_stands_in_the_first_characters(count: int, by: str | None) -> None:
    message = f"\x16\x16\x01a0123\x1fus--\r\nr a bc-ferry 01-22 0100\r\n\x02^Ferry stops<\r\n{'x' * count}\r\n^By Ann Lark<\r\n   The ferry stops.\r\n\x0301-22-26 1530GMT\r\n\x04"
    assert one(message).story.by == by


@pytest.mark.parametrize(("lines", "headline"), [(7, "Ferry stops"), (8, "")])
def test_a_headline_of_anpa_stands_in_the_first_lines(lines: int, headline: str) -> None:
    above = "^by somebody<\r\n" * lines
    message = f"\x16\x16\x01a0123\x1fus--\r\nr a bc-boat 01-22 0100\r\n\x02{above}^Ferry stops<\r\n   {COPY}\r\n\x0301-22-26 1530GMT\r\n\x04"
    assert (one(message).headline == "Ferry stops") is bool(headline)


@pytest.mark.parametrize(("lines", "is_head"), [(8, True), (9, False)])
def test_a_head_of_iptc_7901_has_nine_lines_at_most(lines: int, is_head: bool) -> None:
    above = "".join(f"the harbour {'x' * n}\r\n" for n in range(lines))
    message = f"\x01NNA0123 3 i 99\r\n\x02{above}Ferry stops at noon =\r\n   {COPY}\r\n\x03\r\n221530 GMT JAN 26\r\n\x04"
    assert one(message).headline.endswith("Ferry stops at noon") is is_head


@pytest.mark.parametrize(("strangers", "are_common"), [(12, True), (13, False)])
def test_one_common_word_in_five_proves_a_declared_language(strangers: int, are_common: bool) -> None:
    words = "the of and " + "Satama " * strangers
    assert (identify_language(words, "en").confidence == pytest.approx(0.99)) is are_common


@pytest.mark.parametrize(("words", "are_common"), [("the of the of", False), ("the of and of", True)])
def test_three_different_common_words_prove_a_declared_language(words: str, are_common: bool) -> None:
    assert (identify_language(words, "en").confidence == pytest.approx(0.99)) is are_common


@pytest.mark.parametrize(("common", "is_plain"), [(7, False), (8, True)])
def test_a_quarter_of_common_words_is_plain_english(common: int, is_plain: bool) -> None:
    words = ["the"] * common + ["harbour"] * (30 - common)
    assert (_plain_language(" ".join(words)) == "en") is is_plain


@pytest.mark.parametrize(("text", "tag"), [("ab", "und"), ("abc 12", "")])
def test_three_letters_have_a_language(text: str, tag: str) -> None:
    assert (identify_language(text).tag == "und") is bool(tag)


@pytest.mark.parametrize(("confidence", "tag"), [(0.899, "en"), (0.9, "de")])
def test_a_classifier_must_be_sure_to_contradict(
    confidence: float, tag: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(language, "_detect", lambda *_: ("de", confidence))
    assert identify_language(GERMAN.lower(), "en").tag == tag


@pytest.mark.parametrize(("letters", "is_full"), [(59, False), (60, True)])
def test_sixty_letters_have_the_full_confidence(
    letters: int, is_full: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(language, "_identifier", lambda _: SimpleNamespace(classify=lambda _: ("fi", 1.0)))
    assert (identify_language("a" * letters).confidence == pytest.approx(1.0)) is is_full


@pytest.mark.parametrize(("before", "is_language"), [(597, True), (598, False)])
def test_six_hundred_characters_are_looked_at(before: int, is_language: bool) -> None:
    assert (identify_language("9" * before + "abc").tag != "und") is is_language


@pytest.mark.parametrize(("before", "is_proved"), [(290, True), (291, False)])
def test_a_glance_is_three_hundred_characters(before: int, is_proved: bool) -> None:
    text = "9" * before + "the of was"
    assert (identify_language(text, "en").confidence == pytest.approx(0.99)) is is_proved


@pytest.mark.parametrize(("year", "read"), [("69", "2069"), ("70", "1970"), ("2026", "2026")])
def test_years_of_two_digits_begin_with_1970(year: str, read: str) -> None:
    assert (find_wire_date(f"221530 GMT JAN {year}", None) or "")[:4] == read


@pytest.mark.parametrize(("before", "count"), [(1_990, 2), (2_001, 1)])
def test_a_transmission_has_its_first_separator_in_the_first_characters(before: int, count: int) -> None:
    assert len(split_dispatches(f"{'x' * before}\nZCZC 1\nThe ferry stops.")) == count
