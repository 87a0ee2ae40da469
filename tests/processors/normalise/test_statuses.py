"""Status words, messages to editors and embargoes without an end, where each format has them; and links of ninjs."""

from __future__ import annotations

import orjson
import pytest

from processors.model.story import PubStatus
from tests.processors.normalise.samples import one

NITF = b"""<?xml version="1.0"?><nitf><head><docdata%s><doc-id id-string="NNA-17"/>%s</docdata></head><body>
<body.head><hedline><hl1>Harbour crane to be sold</hl1></hedline></body.head>
<body.content><p>The council of Port Alder will sell the crane.</p></body.content></body></nitf>"""
NEWSML = b"""<?xml version="1.0"?><NewsML><NewsItem><Identification><NewsIdentifier><ProviderId>nna.example</ProviderId>
<DateId>20260122</DateId><NewsItemId>crane</NewsItemId><RevisionId>2</RevisionId>
<PublicIdentifier>urn:newsml:nna.example:20260122:crane:2</PublicIdentifier></NewsIdentifier></Identification>
<NewsManagement><Status FormalName="%s"/></NewsManagement><NewsComponent><NewsLines><HeadLine>Harbour crane to be sold</HeadLine>
</NewsLines><ContentItem><DataContent>The council of Port Alder will sell the crane.</DataContent></ContentItem>
</NewsComponent></NewsItem></NewsML>"""
G2 = b"""<?xml version="1.0"?><newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="urn:nna:crane" version="2">
<itemMeta><itemClass qcode="ninat:text"/><provider literal="NNA"/>%s</itemMeta><contentMeta><headline>Harbour crane to be sold</headline>
</contentMeta><contentSet><inlineXML><p xmlns="http://www.w3.org/1999/xhtml">The council of Port Alder will sell the crane.</p>
</inlineXML></contentSet></newsItem>"""


def status_of(document: bytes) -> PubStatus | None:
    return one(document).story.pub_status


@pytest.mark.parametrize("word", [b"Killed", b"Withdrawn", b"Deleted", b"Retracted", b"Canceled"])
def test_a_story_that_newsml_1_ends_is_canceled(word: bytes) -> None:
    assert status_of(NEWSML % word) == "canceled"


def test_a_story_of_newsml_1_is_usable() -> None:
    assert status_of(NEWSML % b"Usable") == "usable"


@pytest.mark.parametrize(
    ("attributes", "message", "status"),
    [
        (b"", b"", "usable"),
        (b' management-status="withdrawn"', b"", "canceled"),
        (b"", b'<ed-msg msg-type="kill" info="Do not use"/>', "canceled"),
        (b"", b'<ed-msg msg-type="Mandatory Kill" info=""/>', "canceled"),
        (b' management-status="usable"', b'<ed-msg msg-type="Withdrawal" info=""/>', "canceled"),
        (b"", b'<ed-msg msg-type="advisory" info="A kill may follow"/>', "usable"),
        (b' management-doc-idref="NNA-16" management-idref-status="canceled"', b"", "canceled"),
    ],
)
def test_a_message_to_editors_of_nitf_may_kill(attributes: bytes, message: bytes, status: PubStatus) -> None:
    assert status_of(NITF % (attributes, message)) == status


def test_nitf_names_the_document_that_it_manages_or_corrects() -> None:
    story = one(
        NITF % (b' management-doc-idref="NNA-16"', b'<correction id-string="NNA-15" regsrc="NNA"/>')
    ).story
    assert {(other.role, other.value) for other in story.alt_ids} >= {
        ("previous", "NNA-16"), ("corrects", "NNA-15"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("members", "status"),
    [
        (b"", "usable"),
        (b"<embargoed/>", "withheld"),
        (b"<embargoed>until the speech</embargoed>", "withheld"),
        (b'<embargoed/><pubStatus qcode="stat:canceled"/>', "canceled"),
        (b'<pubStatus qcode="stat:withdrawn"/>', "canceled"),
    ],
)
def test_an_embargo_of_g2_without_an_end_withholds(members: bytes, status: PubStatus) -> None:
    """NewsML-G2: `embargoed` is a DateTimeOrNull, and empty means that the end is not known."""
    assert status_of(G2 % members) == status


@pytest.mark.parametrize(
    ("word", "status"),
    [("recalled", "canceled"), ("unpublished", "canceled"), ("deleted", "canceled"), ("embargoed", "withheld"), ("done", "usable")],
)  # fmt: skip
def test_spellings_of_ninjs_dialects_have_a_status(word: str, status: PubStatus) -> None:
    item = {
        "uri": "urn:nna:1",
        "body_text": "The council of Port Alder will sell the crane.",
        "pubstatus": word,
    }
    assert status_of(orjson.dumps(item)) == status


@pytest.mark.parametrize(
    ("members", "links"),
    [
        ({"evolvedfrom": "urn:nna:0"}, [("evolvedFrom", "urn:nna:0")]),
        ({"rewrite_of": {"uri": "urn:nna:0"}}, [("rewriteOf", "urn:nna:0")]),
        ({"replaces": ["urn:nna:0", {"guid": "urn:nna:9"}, 4]}, [("replaces", "urn:nna:0"), ("replaces", "urn:nna:9")]),
        ({"evolvedfrom": " ", "kills": None}, []),
    ],
)  # fmt: skip
def test_what_an_item_of_ninjs_was_made_from_is_a_link(
    members: dict[str, object], links: list[tuple[str, str]]
) -> None:
    item = {"uri": "urn:nna:1", "body_text": "The council of Port Alder will sell the crane.", **members}
    assert [(other.role, other.value) for other in one(orjson.dumps(item)).story.alt_ids] == links


@pytest.mark.parametrize(
    ("subject", "title"),
    [("Fwd: Harbour crane to be sold", "Harbour crane to be sold"), ("RE: AW: Crane sold", "Crane sold"), ("Report: crane sold", "Report: crane sold"), ("I: gru venduta", "gru venduta")],
)  # fmt: skip
def test_marks_of_forwarded_mail_are_no_headline(subject: str, title: str) -> None:
    mail = f"From: desk@nna.example\nTo: all@nna.example\nSubject: {subject}\nDate: Thu, 22 Jan 2026 12:00:00 +0000\n\n"
    assert (
        one((mail + "The council of Port Alder will sell the harbour crane.\n").encode()).story.title == title
    )


def test_a_mail_of_one_paragraph_has_its_subject_as_headline() -> None:
    mail = "From: desk@nna.example\nTo: all@nna.example\nSubject: Crane sold\nDate: Thu, 22 Jan 2026 12:00:00 +0000\n\n"
    event = one(mail + "The council of Port Alder sold the crane.\n")
    assert (event.headline, event.text) == ("Crane sold", "The council of Port Alder sold the crane.")
    event = one(mail + "Harbour crane sold\n\nPORT ALDER (NNA) - The council of Port Alder sold the crane.\n")
    assert event.headline == "Harbour crane sold"
