"""Mail as agencies send it: attachments of wire formats, several text parts, flowed lines, subjects as headlines."""

from __future__ import annotations

import gzip
import io
import zipfile
from email.message import EmailMessage
from typing import Any

import pytest

from processors.errors import Rejected
from processors.model.event import Event
from tests.processors.normalise.documents import Expected, differences, print_score
from tests.processors.normalise.samples import outcomes

NITF = (
    "<?xml version='1.0' encoding='utf-8'?><nitf><head><docdata><doc-id id-string='urn:quay:77' regsrc='quay.example'/>"
    "<date.issue norm='20260109T092656Z'/></docdata></head><body><body.head><hedline><hl1>Sluice opens in Kvarnby – again</hl1></hedline>"
    "</body.head><body.content><p>The sluice of Kvarnby opened on Friday.</p><p>Boats had waited for nine days.</p></body.content></body></nitf>"
)
NINJS = (
    '{"uri":"urn:quay:78","versionCreated":"2026-01-09T10:00:00Z","headlines":[{"role":"main","value":"Weir inspected"}],'
    '"bodies":[{"role":"main","contentType":"text/plain","value":"The weir was inspected."}]}'
)
COVER = "Dear colleagues,\n\nplease find today's copy attached.\n\nQuay News desk\n"
COPY = (
    "PORT ALDER (QNA) - The lock keepers went back to work on Friday after nine days, said the port's spokeswoman.\n\n"
    "Forty barges had waited below the weir, some of them with fruit that has spoilt by now.\n"
)


def mail(
    body: str = "", subject: str = "Copy for Friday", *, subtype: str = "plain", **parameters: Any
) -> EmailMessage:
    """A message with a body."""
    message = EmailMessage()
    message["From"] = "Quay News <desk@quay.example>"
    message["To"] = "wires@paper.example"
    message["Date"] = "Fri, 9 Jan 2026 10:00:00 +0100"
    message["Subject"] = subject
    message["Message-ID"] = "<q1@quay.example>"
    if body:
        message.set_content(body, subtype=subtype, **parameters)
    return message


def attached(message: EmailMessage, payload: bytes | str, kind: str, name: str, **more: Any) -> EmailMessage:
    """The message with one more attachment."""
    if isinstance(payload, str) and kind.startswith("text/"):
        message.add_attachment(payload, subtype=kind.partition("/")[2], filename=name, **more)
    else:
        data = payload.encode() if isinstance(payload, str) else payload
        main, _, sub = kind.partition("/")
        message.add_attachment(data, maintype=main, subtype=sub, filename=name, **more)
    return message


def zipped(**files: str) -> bytes:
    """A zip archive of files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name.replace("_", "."), text)
    return stream.getvalue()


def flowed(lines: str, more: str = "") -> bytes:
    """A message of flowed lines."""
    head = "From: Quay <desk@quay.example>\nTo: a@b.example\nSubject: Locks open again\nMessage-ID: <q2@quay.example>\n"
    return f"{head}MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8; format=flowed{more}\n\n{lines}".encode()


def two_texts() -> EmailMessage:
    """A message whose copy goes on behind a picture."""
    message = mail(COPY, "Locks open again")
    message.add_attachment(
        b"\xff\xd8\xff\xe0" + bytes(64),
        maintype="image",
        subtype="jpeg",
        disposition="inline",
        filename="weir.jpg",
    )
    message.add_attachment("The port expects to clear the queue by Sunday.\n", disposition="inline")
    return message


def with_stub() -> EmailMessage:
    """A message whose plain text only says that there is a page."""
    message = mail("This message can only be shown as HTML.\n", "Locks open again")
    paragraphs = "".join(f"<p>{part}</p>" for part in COPY.split("\n\n"))
    message.add_alternative(f"<html><body>{paragraphs}{paragraphs}</body></html>", subtype="html")
    return message


STORY = {
    "headline": "Sluice opens in Kvarnby – again",
    "text": "The sluice of Kvarnby opened on Friday.\n\nBoats had waited for nine days.",
    "story.uri": "urn:quay:77",
}
CASES: dict[str, tuple[EmailMessage | bytes, list[Expected]]] = {
    "attached NITF": (attached(mail(COVER), NITF, "application/xml", "copy.xml"), [STORY | {"story.edNote+": "please find today's copy attached"}]),
    "attached NITF of no kind in particular": (attached(mail(COVER), NITF, "application/octet-stream", "copy.dat"), [STORY]),
    "attached NITF as text": (attached(mail(COVER), NITF, "text/xml", "copy.xml"), [STORY]),
    "NITF as the only part": (attached(mail(), NITF, "application/xml", "copy.xml"), [STORY]),
    "attached and compressed": (attached(mail(COVER), gzip.compress(NITF.encode()), "application/gzip", "copy.xml.gz"), [STORY]),
    "attached archive": (
        attached(mail(COVER), zipped(a_xml=NITF, b_json=NINJS), "application/zip", "copy.zip"),
        [STORY, {"headline": "Weir inspected", "story.uri": "urn:quay:78"}],
    ),
    "two attachments": (
        attached(attached(mail(COVER), NITF, "application/xml", "a.xml"), NINJS, "application/json", "b.json"),
        [STORY, {"headline": "Weir inspected", "story.uri": "urn:quay:78"}],
    ),
    "copy in the body and another story attached": (
        attached(mail(COPY * 3, "Locks open again"), NITF, "application/xml", "a.xml"),
        [{"headline": "Locks open again", "text+": "Forty barges"}, STORY],
    ),
    "copy in the body and the same attached": (
        attached(mail("Sluice opens in Kvarnby – again\n\nThe sluice of Kvarnby opened on Friday.\n\nBoats had waited for nine days.\n"), NITF, "application/xml", "a.xml"),
        [STORY],
    ),
    "an embargo in the covering note": (
        attached(mail("EMBARGOED UNTIL 1800 GMT 23 January 2026\n\nCopy attached.\n"), NITF, "application/xml", "a.xml"),
        [STORY | {"story.pubStatus": "withheld", "story.embargoedUntil": "2026-01-23T18:00:00Z"}],
    ),
    "an attached dispatch": (
        attached(mail(COVER), COPY, "text/plain", "locks.txt"),
        [{"text": COPY.strip()}],
    ),
    "pictures and documents attached": (
        attached(attached(mail(COPY, "Locks open again"), b"%PDF-1.4 " + bytes(range(256)), "application/pdf", "a.pdf"), b"\xff\xd8\xff\xe0" + bytes(64), "image/jpeg", "weir.jpg"),
        [{"headline": "Locks open again", "text": COPY.strip()}],
    ),
    "two texts around a picture": (
        two_texts(), [{"headline": "Locks open again", "text": COPY.strip() + "\n\nThe port expects to clear the queue by Sunday."}],
    ),
    "a stub beside the page": (with_stub(), [{"headline": "Locks open again", "text+": ["PORT ALDER (QNA) - The lock keepers", "Forty barges"], "text-": "can only be shown"}]),
    "flowed lines": (flowed("The lock keepers went \nback to work.\n\nForty barges \nhad waited.\n-- \nIda Brandt\n"), [{"text+": "The lock keepers went back to work.\n\nForty barges had waited."}]),
    "flowed lines without blanks": (
        flowed("水門の職員は \n金曜日に \n仕事に戻った。\n", "; delsp=yes"), [{"text": "水門の職員は金曜日に仕事に戻った。"}],
    ),
    "stuffed lines": (flowed(" From Friday on the locks \nare open.\n\n > is a sign.\n"), [{"text": "From Friday on the locks are open.\n\n> is a sign."}]),
    "two paragraphs under a subject": (mail(COPY, "Lock keepers end strike"), [{"headline": "Lock keepers end strike", "text": COPY.strip()}]),
    "two paragraphs without a dateline": (
        mail("The lock keepers went back to work on Friday.\n\nForty barges had waited below the weir.\n", "Lock keepers end strike"),
        [{"headline": "Lock keepers end strike", "text": "The lock keepers went back to work on Friday.\n\nForty barges had waited below the weir."}],
    ),
    "a headline of its own under a subject of routine": (
        mail("Lock keepers of Quellheim end their strike\n\n" + COPY, "QNA evening copy"),
        [{"headline": "Lock keepers of Quellheim end their strike"}],
    ),
    "a subject and nothing else": (mail("\n", "Locks of Quellheim open again"), [{"headline": "Locks of Quellheim open again", "text": ""}]),
    "enriched text": (b"From: a@quay.example\nTo: b@c.example\nSubject: Locks open again\nContent-Type: text/enriched\n\nThe locks are open.\n", [{"text": "The locks are open."}]),
    "a page alone": (mail(f"<html><head><title>x</title></head><body><p>{COPY}</p></body></html>", "Locks open again", subtype="html"), [{"headline": "Locks open again", "text+": "Forty barges"}]),
}  # fmt: skip


def forwarded() -> bytes:
    """A message with another one attached."""
    message = mail("FYI\n", "Fwd: copy")
    message.add_attachment(mail(COPY, "Locks open again"))
    return message.as_bytes()


CASES["a forwarded message"] = (forwarded(), [{"headline": "Locks open again", "text": COPY.strip()}])


def sent_bytes(message: EmailMessage | bytes) -> bytes:
    return message if isinstance(message, bytes) else message.as_bytes()


@pytest.mark.parametrize("name", CASES)
def test_mail_of_a_kind_is_read(name: str) -> None:
    message, expected = CASES[name]
    assert differences(sent_bytes(message), expected) == []


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (NITF[:200].encode() + b"</wrong>", "application/xml"),
        (gzip.compress(bytes(1 << 26)), "application/gzip"),
        (gzip.compress(NITF.encode())[:60], "application/gzip"),
        (zipped(a_xml=NITF)[:80], "application/zip"),
        (zipped(é_xml=NITF).replace("é".encode(), b"\xe9-"), "application/zip"),
        (zipped(a_xml=NITF)[:-6] + b"\xff\xff" + bytes(4), "application/zip"),
    ],
    ids=[
        "torn XML",
        "a bomb",
        "a torn stream",
        "a torn archive",
        "names that are no UTF-8",
        "files before the beginning",
    ],
)
def test_an_attachment_that_cannot_be_read_costs_no_story_and_is_told(payload: bytes, kind: str) -> None:
    events = outcomes(attached(mail(COPY, "Locks open again"), payload, kind, "copy.bin").as_bytes())
    assert [event.headline for event in events if isinstance(event, Event)][:1] == ["Locks open again"]
    assert len(events) == 2
    assert isinstance(events[1], Rejected) or (events[1].damage and events[1].text is not None)


if __name__ == "__main__":
    print_score({name: (sent_bytes(message), expected) for name, (message, expected) in CASES.items()})
