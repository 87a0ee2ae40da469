"""A long file in portions says what it says as a whole."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.errors import Rejected, TooLarge
from processors.normalise.portions import portions
from tests.processors.normalise.samples import outcomes

RSS = "<?xml version='1.0'?><rss version='2.0'><!-- <item> --><channel><title>C</title>{}</channel></rss>"
ITEM = "<item><guid>a:{n}</guid><title>{n}</title><description>{words}</description></item>\n"
ATOM = "<feed xmlns='http://www.w3.org/2005/Atom'><title>C</title>{}</feed>"
ENTRY = "<entry><id>a:{n}</id><title>{n}</title><summary>{words}</summary></entry>"
MESSAGE = "<n:newsMessage xmlns:n='http://iptc.org/std/nar/2006-10-01/'><n:header/><n:itemSet>{}</n:itemSet></n:newsMessage>"
NEWS = (
    "<n:newsItem guid='a:{n}'><n:contentMeta><n:headline>{n}</n:headline></n:contentMeta>"
    "<n:contentSet><n:inlineData>{words}</n:inlineData></n:contentSet></n:newsItem>"
)
NEWSML = "<NewsML>{}</NewsML>"
NEWSML_ITEM = (
    "<NewsItem><Identification><NewsIdentifier><PublicIdentifier>a:{n}:1</PublicIdentifier></NewsIdentifier></Identification>"
    "<NewsComponent><NewsLines><HeadLine>{n}</HeadLine></NewsLines><ContentItem><DataContent>{words}</DataContent></ContentItem>"
    "</NewsComponent></NewsItem>"
)
DISPATCH = "ZCZC N{n}\nHeadline of {n}\n\n{words}\nNNNN\n"
WIRE = "\x01NNA{n:04} 3 i 9\r\n\x02Headline of {n} =\r\n{words}\x03\r\n221530 GMT JAN 26\r\n\x04"
FORMATS = [(RSS, ITEM), (ATOM, ENTRY), (MESSAGE, NEWS), (NEWSML, NEWSML_ITEM), ("{}", DISPATCH), ("{}", WIRE)]
WORDS = st.sampled_from(
    [
        "The ferry stops.",
        "<![CDATA[</item></entry></n:newsItem></NewsItem>]]>",
        "<!-- </item> -->It runs.",
        "x" * 300,
    ]
)


def words_of(document: bytes) -> list[tuple[str, str]]:
    events = outcomes(document)
    return [(event.headline, event.text) for event in events if not isinstance(event, Rejected)]


@given(
    form=st.sampled_from(FORMATS), words=st.lists(WORDS, min_size=1, max_size=12), size=st.integers(20, 2000)
)
@settings(max_examples=40, deadline=None)
def test_portions_say_what_the_whole_says(form: tuple[str, str], words: list[str], size: int) -> None:
    frame, item = form
    whole = frame.format("".join(item.format(n=n, words=pair) for n, pair in enumerate(words, 1))).encode()
    pairs = [pair for portion in portions(BytesIO(whole).read, 10_000, size) for pair in words_of(portion)]
    assert pairs == words_of(whole)


def test_memory_is_that_of_a_portion() -> None:
    whole = RSS.format("".join(ITEM.format(n=n, words="x" * 400) for n in range(2000))).encode()
    parts = list(portions(BytesIO(whole).read, 100_000, 10_000))
    assert len(parts) > 10
    assert max(map(len, parts)) < 100_000


@pytest.mark.parametrize(
    "whole", [b"x" * 5000, b"[" + b'{"a": 1},' * 900 + b"1]", b"<rss><item>" + b"x" * 5000]
)
def test_what_cannot_be_parted_is_too_large(whole: bytes) -> None:
    with pytest.raises(TooLarge, match="max_item_bytes"):
        list(portions(BytesIO(whole).read, 1000, 100))


def test_a_document_that_is_cut_off_is_read_as_far_as_it_goes() -> None:
    whole = RSS.format("".join(ITEM.format(n=n, words="x") for n in range(9))).encode()[:-60]
    pairs = [pair for portion in portions(BytesIO(whole).read, 10_000, 100) for pair in words_of(portion)]
    assert pairs == words_of(whole)
