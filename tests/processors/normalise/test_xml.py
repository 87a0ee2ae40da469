"""Entities that a document declares for itself are its words, where they are no more than words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.normalise.xml import replace_entities
from tests.processors.normalise.samples import one

DOCUMENT = "<?xml version='1.0'?>\n<!DOCTYPE rss{} [{}]><rss><channel><item><title>{}</title><guid>a:1</guid></item></channel></rss>"
COMPANY = '<!ENTITY company "Harbour &amp; Sons Ltd">'


@pytest.mark.parametrize(
    ("external", "declared", "title", "headline"),
    [
        ("", COMPANY, "The wall of &company; falls", "The wall of Harbour & Sons Ltd falls"),
        ("", "<!ENTITY who 'Ann \"Annie\" Lark'>", "&who; wins", 'Ann "Annie" Lark wins'),
        (" SYSTEM 'https://courier.example/rss.dtd'", COMPANY, "&company; falls", "Harbour & Sons Ltd falls"),
        (" PUBLIC '-//C//DTD' \"rss.dtd\"", COMPANY, "&company; falls", "Harbour & Sons Ltd falls"),
        ("", COMPANY + '<!ENTITY company "Others">', "&company; falls", "Harbour & Sons Ltd falls"),
        ("", "<!ENTITY nbsp '&#160;'><!ELEMENT rss ANY>", "Pier&nbsp;9 falls", "Pier 9 falls"),
        ("", "<!-- " + COMPANY + " -->", "The &company; falls", "The &company; falls"),
        ("", '<!ENTITY x SYSTEM "file:///etc/hostname">', "The &x; falls", "The &x; falls"),
        ("", '<!ENTITY a "wall"><!ENTITY b "&a;&a;">', "The &a; &b; falls", "The wall &b; falls"),
        ("", '<!ENTITY a "<b>wall</b>">', "The &a; falls", "The &a; falls"),
        ("", f'<!ENTITY a "{"wall " * 200}">', "The &a; falls", "The &a; falls"),
    ],
)
def test_entities_of_words_are_read_and_no_others(
    external: str, declared: str, title: str, headline: str
) -> None:
    assert one(DOCUMENT.format(external, declared, title)).headline == headline


def test_an_entity_within_itself_ends_the_words_and_that_is_told() -> None:
    event = one(DOCUMENT.format("", '<!ENTITY a "&a;">', "The &a; falls"))
    assert event.headline == "The"
    assert [fault.kind for fault in event.damage or ()] == ["garbled"]


def test_they_are_read_in_attributes_and_not_in_raw_sections() -> None:
    document = (
        f"<!DOCTYPE rss [{COMPANY}<!ENTITY site 'courier.example'>]><rss><channel><item><guid>a:1</guid><title>Ferry</title>"
        "<enclosure url='https://&site;/1.jpg' type='image/jpeg'/>"
        "<description><![CDATA[It is &company; that stops.]]></description></item></channel></rss>"
    )
    event = one(document)
    assert [fault.uri for fault in event.story.associations] == ["https://courier.example/1.jpg"]
    assert event.text == "It is &company; that stops."


def test_a_document_grows_no_further_than_the_limit() -> None:
    document = DOCUMENT.format("", f'<!ENTITY a "{"w" * 500}">', "&a;" * 5000)
    assert len(replace_entities(document)) < len(document) + 100_001


@given(st.text(alphabet="<>!&;\"'[]ENTIYDOCP ab%-", max_size=80), st.text(alphabet="&;ab<>", max_size=40))
def test_no_declaration_makes_it_fail(declared: str, title: str) -> None:
    document = DOCUMENT.format("", f'<!ENTITY a "b">{declared}', title)
    assert len(replace_entities(document)) <= len(document) + 100_000
