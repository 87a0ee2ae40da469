"""What was once slow, or grew beyond all measure: each finding as a kind. docs/security.md names the test of each."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest

from config.settings import Normalise, Tag
from processors.errors import Rejected, TooLarge
from processors.model.event import Event, RawItem
from processors.normalise import normalise
from processors.numbers import read_references
from processors.tag import Tagger
from streams.pollers.documents import split_document
from streams.pollers.entries import read_xml_entry
from tests.hostile.containers import all_containers
from tests.hostile.pipeline import loaded_steps
from tests.hostile.timing import MAX_RECORD_S, cpu_seconds, is_linear

RECEIVED = "2026-01-22T16:00:00Z"
BYTES = 10_000
PIPED: dict[
    str, tuple[str, str, str, str, str]
] = {  # container, what stands before the unit, the unit, and the step
    "quotation marks without partners": ("dispatch", "copy", "", ': "', "segment"),
    "quotation marks in quotation marks": ("dispatch", "copy", "", "““”", "segment"),
    "marks that end sentences": ("head", "name of the root", "", "!", "deduplicate"),
    "full stops without a blank behind them": ("head", "before the root", "", "...", "deduplicate"),
    "marks before a note": ("dispatches", "line 'ZCZC 001'", "\n【", "=", "normalise"),
    "blanks between the words of a date": ("dispatch", "last line", "in the next", "\r", "tag"),
    "blanks in a date of a feed": ("rss", "<pubDate>", "[a. 0, ", "\r", "normalise"),
    "blanks before a mark that a line has no more": (
        "anpa-1312",
        "line '   They will race ag'",
        "de",
        " ",
        "normalise",
    ),
    "letters in an author of a torn feed": ("rss", "<dc:creator> raw", "\x00", "wenigen", "normalise"),
    "joiners between letters": ("dispatch", "quotation", "a", "\u200c", "normalise"),
    "synchronisation marks": ("anpa-1312", "line '   They will race ag'", "", "\x16", "normalise"),
    "marks of a headline": ("head", "name of the root", "", "^", "normalise"),
    "marks of a notebook": ("dispatch", "line after line", "", "#", "segment"),
}
MAIL = (
    "From: Ada Quill <ada@wire.example>\nMessage-ID: <1@wire.example>\nSubject: Ferry{subject}\n"
    "Content-Type: text/plain{kind}\n\nThe ferry has sunk off the island.\n"
)


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return Tagger(Tag(watchlists=""))


def read(payload: str) -> list[Event | Rejected]:
    try:
        return normalise(RawItem(payload.encode(), RECEIVED), Normalise(languages=("en",)))
    except Rejected as error:
        return [error]


def many(unit: str, size: int) -> str:
    return unit * (size // len(unit))


def numbered(unit: str, size: int) -> str:
    """A text of units that differ by a number."""
    return "".join(unit.format(number) for number in range(size // len(unit)))


TAGGED: dict[str, Callable[[int], str]] = {
    "articles in small letters": lambda size: f"The mayor said{many(' a', size)} on Monday.",
    "articles in capitals": lambda size: f"The mayor said {many('A ', size)}on Monday.",
    "titles": lambda size: f"It was {many('Mayor ', size)}who said so.",
    "a number with thousands marks": lambda size: f"It cost 0{many('.000', size)} pounds.",
    "credits line by line": lambda size: many("EFE/yv\n", size),
    "header lines": lambda size: numbered("X-{}: Ada\n", size),
    "people with one surname": lambda size: numbered("Ada{} Quill, ", size),
    "people with one given name": lambda size: numbered("Ada Quill{}, ", size),
    "companies": lambda size: numbered("Quill{} Corp., ", size),
    "places": lambda size: numbered("in North Quill{}, ", size),
}


@pytest.mark.parametrize("make", TAGGED.values(), ids=TAGGED)
def test_names_and_dates_take_time_in_proportion(make: Callable[[int], str], tagger: Tagger) -> None:
    def measure(size: int) -> float:
        events = [
            event
            for event in read(f"Ferry sinks\n\nLISBON, Jan 29 (EFE).- {make(size)}")
            if isinstance(event, Event)
        ]
        return cpu_seconds(lambda: tagger.tag(events))

    assert is_linear(measure, BYTES)


POLLED: dict[str, Callable[[int], str]] = {
    "a long name of an element": lambda size: f"<rss><channel><title>Hill</title><a{many('0', size)}<item><title>A</title></item></channel></rss>",
    "a torn attribute": lambda size: f"<rss><channel><a b={many('c', size)}<item><title>A</title></item></channel></rss>",
    "blanks before the root": lambda size: f"{many(' ', size)}<rss><channel><item><title>A</title></item></channel></rss>",
    "comments before the root": lambda size: f"{many('<!-- a -->', size)}<rss><channel><item><title>A</title></item></channel></rss>",
    "document types": lambda size: f"{many('<!DOCTYPE [', size)}<rss><channel><item><title>A</title></item></channel></rss>",
    "entities of entities": lambda size: f'<!DOCTYPE rss [<!ENTITY a "{many("&#1;", size)}">]><rss><channel><item/></channel></rss>',
    "punycode": lambda size: f'<?xml version="1.0" encoding="punycode"?><rss><channel><item><title>{many("a", size)}\xe9</title></item></channel></rss>',
}  # fmt: skip


@pytest.mark.parametrize("make", POLLED.values(), ids=POLLED)
def test_the_head_of_a_feed_takes_time_in_proportion(make: Callable[[int], str]) -> None:
    def measure(size: int) -> float:
        return cpu_seconds(lambda: split(make(size).encode("latin-1")))

    assert is_linear(measure, 4 * BYTES)


def split(body: bytes) -> None:
    with contextlib.suppress(Rejected):
        split_document(body)


ENTRIES: dict[str, Callable[[int], str]] = {
    "a long name of an element": lambda size: f"<item><a{many('0', size)}</item>",
    "names that end as another begins": lambda size: f"<url><news>{many('<title', size)}</news></url>",
    "attributes without values": lambda size: f"<item><link {many('a', size)}/></item>",
}


@pytest.mark.parametrize("make", ENTRIES.values(), ids=ENTRIES)
def test_an_entry_takes_time_in_proportion(make: Callable[[int], str]) -> None:
    def measure(size: int) -> float:
        return cpu_seconds(lambda: read_xml_entry(make(size).encode(), "utf-8"))

    assert is_linear(measure, 4 * BYTES)


READ: dict[str, Callable[[int], str]] = {
    "tabs in plain text": lambda size: f"The ferry{many(chr(9), size)}has sunk.",
    "an author of many at signs": lambda size: f"<rss><channel><item><title>A</title><author>{many('@', size)}</author></item></channel></rss>",
    "an author of many brackets": lambda size: f"<rss><channel><item><title>A</title><author>{many('a@b(', size)}</author></item></channel></rss>",
    "quotation marks in a media type": lambda size: MAIL.format(subject="", kind="; " + many('"', size)),
    "parameters of a media type": lambda size: MAIL.format(subject="", kind=many(";", size)),
    "a sender of many addresses": lambda size: MAIL.format(subject="", kind="").replace("Ada Quill", many("a,", size)),
    "brackets in a sender": lambda size: MAIL.format(subject="", kind="").replace("Ada Quill", many("(", size)),
}  # fmt: skip


@pytest.mark.parametrize("make", READ.values(), ids=READ)
def test_reading_takes_time_in_proportion(make: Callable[[int], str]) -> None:
    assert is_linear(lambda size: cpu_seconds(lambda: read(make(size))), BYTES)


@pytest.mark.parametrize("mark", ['"', ";", "(", "a,", "a=b;", "a*0=b;"])
def test_a_mail_of_torn_parts_is_read_within_its_time(mark: str) -> None:
    part = f"--b\nContent-Type: text/x; {many(mark, 390)}\n\nHello\n"
    mail = MAIL.format(subject="", kind="").replace("text/plain", 'multipart/alternative; boundary="b"')
    assert cpu_seconds(lambda: read(mail + many(part, 90 * len(part)))) < MAX_RECORD_S


@pytest.mark.parametrize(
    ("parts", "refused"),
    [(100, False), (101, True), (50_000, True)],
    ids=["as many as allowed", "one more", "thousands"],
)
def test_a_mail_has_a_limited_number_of_parts(parts: int, refused: bool) -> None:
    mail = MAIL.format(subject="", kind="").replace("text/plain", 'multipart/mixed; boundary="b"')
    outcomes = read(mail + "\n--b\n\nThe ferry has sunk.\n" * parts)
    assert isinstance(outcomes[0], TooLarge) is refused


@pytest.mark.parametrize("depth", [5, 5000])
def test_parts_in_parts_are_an_error_of_the_sender(depth: int) -> None:
    nested = "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n' for n in range(depth))
    mail = MAIL.format(subject="", kind="").partition("Content-Type")[0]
    outcomes = read(f"{mail}{nested}Content-Type: text/plain\n\nThe ferry has sunk.\n")
    assert isinstance(outcomes[0], TooLarge) is (depth > 5)


@pytest.mark.parametrize(("chars", "damaged"), [(1900, False), (2100, True)])
def test_a_field_of_mail_that_was_cut_is_told(chars: int, damaged: bool) -> None:
    (event,) = read(MAIL.format(subject=many(" a", chars), kind=""))
    assert isinstance(event, Event)
    assert bool(event.damage) is damaged
    assert "".join(damage.kind for damage in event.damage or ()) in {"", "truncated"}


@pytest.mark.parametrize("charset", ["undefined", "punycode", "idna", "unicode-escape", "utf-7", "zlib"])
def test_codecs_that_no_document_declares_are_not_used(charset: str) -> None:
    mail = MAIL.format(subject="", kind=f"; charset={charset}").replace("ferry", "f\xe9rry +AGE-")
    (event,) = read(mail)
    assert isinstance(event, Event)
    assert event.text == "The férry +AGE- has sunk off the island."


@pytest.mark.parametrize(("kind", "name", "before", "unit", "step"), PIPED.values(), ids=PIPED)
def test_steps_take_time_in_proportion(kind: str, name: str, before: str, unit: str, step: str) -> None:
    container = next(place for place in all_containers() if (place.kind, place.name) == (kind, name))

    def measure(size: int) -> float:
        return loaded_steps().run(container.wrap(before + many(unit, size))).seconds.get(step, 0.0)

    assert is_linear(measure, BYTES)


def test_two_stories_of_one_word_are_compared_in_time_in_proportion() -> None:
    """Laying each 中 of one beside each of the other takes seconds at 6 kB."""
    steps = loaded_steps()
    steps.run("中".encode() * 5000 + b"<")
    assert steps.run("中".encode() * 6000 + b"<").seconds["deduplicate"] < MAX_RECORD_S


@pytest.mark.parametrize(
    "mutation", ["a sentence a word", "one sentence", "another third word", "a letter less"]
)
@pytest.mark.parametrize("unit", ["AAPL.O ", "Quill{}a. ", "the ferry {} sank. "])
def test_a_long_copy_that_is_nearly_it_is_compared_in_less_than_a_second(unit: str, mutation: str) -> None:
    """Each sentence laid beside each that is like it, and each word beside each, takes minutes at 20 kB."""
    text = f"Ferry {unit[:3]} {mutation}\n\n{numbered(unit, 20_000)}"
    assert loaded_steps().run(text.encode(), mutation=mutation).seconds["copy"] < MAX_RECORD_S


NUMBERS = (
    "&#" + "9" * 9000 + ";",
    "&#" + "0" * 9000 + "65;",
    "&#x" + "9" * 9000 + ";",
    "&amp;#" + "9" * 9000 + ";",
)


@pytest.mark.parametrize("number", NUMBERS, ids=["decimal", "zeros", "hexadecimal", "twice"])
@pytest.mark.parametrize("form", ["text", "element", "attribute", "link", "page"])
def test_references_of_thousands_of_digits_are_no_error_of_ours(number: str, form: str) -> None:
    """Python reads no number of more than 4,300 digits."""
    item = {
        "text": f"<item><title>Ferry {number} sinks</title></item>",
        "element": f"<item><title>Ferry sinks</title><{number}>One</{number}></item>",
        "attribute": f'<item><title>Ferry sinks</title><a b="{number}"/></item>',
        "link": f"<item><title>Ferry sinks</title><link>https://wire.example/{number}</link></item>",
        "page": f"<item><title>Ferry sinks</title><description><![CDATA[<p>The {number} ferry</p>]]></description></item>",
    }[form]
    times = loaded_steps().run(f"<rss><channel><title>Hill</title>{item}{item}</channel></rss>".encode())
    assert not times.faults


@pytest.mark.parametrize(
    ("markup", "read"),
    [
        ("&#" + "0" * 9000 + "65;", "A"),
        ("&#" + "9" * 9000 + ";", "\ufffd"),
        ("&#65;&amp;&lt;&#x41;", "A&<A"),
        ("&#00000000065", "A"),
        ("&#1114112;", "\ufffd"),
        ("A & B", "A & B"),
    ],
)
def test_references_stand_for_what_they_stand_for_in_html(markup: str, read: str) -> None:
    assert read_references(markup) == read
