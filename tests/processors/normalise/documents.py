"""Documents of wire formats, feeds and mail to put words into, and where the events that come of one are not as expected.

A document's expected events are mappings: a key names a member of the event by its path; ``+`` behind it asks for a part of
the value, ``-`` for its absence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from processors.errors import Rejected
from processors.model.codec import encode
from processors.model.event import Event
from tests.processors.normalise.samples import outcomes

Expected = dict[str, Any]
Case = tuple[str | bytes, list[Expected]]


def differences(payload: str | bytes, expected: list[Expected], **envelope: Any) -> list[str]:
    """Where the events of a document are not as expected."""
    try:
        events = outcomes(payload, **envelope)
    except Rejected as error:
        return [f"{error.type}: {error}"]
    refused = [f"{event.type}: {event}" for event in events if not isinstance(event, Event)]
    plain = [orjson.loads(encode(event)) for event in events if isinstance(event, Event)]
    if refused or len(plain) != len(expected):
        return [*refused, f"{len(plain)} events, not {len(expected)}: {[each['headline'] for each in plain]}"]
    return [
        f"[{number}] {key} = {value_at(event, key.rstrip('+-'))!r}"
        for number, (event, members) in enumerate(zip(plain, expected, strict=True))
        for key, wanted in members.items()
        if not holds(value_at(event, key.rstrip("+-")), key, wanted)
    ]


def print_score(cases: Mapping[str, Case]) -> None:
    """Print what is wrong, and how many documents are right."""
    failed = 0
    for name, (payload, expected) in cases.items():
        if wrong := differences(payload, expected):
            failed += 1
            print("FAIL", name, *wrong, sep="\n     ")
    print(f"{len(cases) - failed} of {len(cases)} right")


def value_at(value: Any, path: str) -> Any:
    """The member at a path; of a list of objects the members of each."""
    for name in path.split("."):
        if isinstance(value, list) and name.isdigit():
            value = value[int(name)] if int(name) < len(value) else None
        elif isinstance(value, list):
            value = [each.get(name) for each in value]
        else:
            value = value.get(name) if isinstance(value, dict) else None
    return value


def holds(value: Any, key: str, wanted: Any) -> bool:
    """Whether a value is as wanted; a list as an unordered whole."""
    if key.endswith("+"):
        return value is not None and all(
            each in value for each in (wanted if isinstance(wanted, list) else [wanted])
        )
    if key.endswith("-"):
        return value is None or wanted not in value
    return bool(value == wanted)


def newsml(
    component: str, *, identifier: str = "", management: str = "", root: str = '<NewsML Version="1.2">'
) -> str:
    """A NewsML 1.2 document of one item."""
    identifier = identifier or (
        "<ProviderId>quay.example</ProviderId><DateId>20260109T092656Z</DateId><NewsItemId>TX-QY-7</NewsItemId>"
        "<RevisionId PreviousRevision='0' Update='N'>1</RevisionId>"
        "<PublicIdentifier>urn:newsml:quay.example:20260109T092656Z:TX-QY-7:1</PublicIdentifier>"
    )
    management = management or (
        "<NewsItemType FormalName='News'/><FirstCreated>20260109T092656Z</FirstCreated>"
        "<ThisRevisionCreated>20260109T102656+0100</ThisRevisionCreated><Status FormalName='Usable'/><Urgency FormalName='4'/>"
    )
    return (
        f"<?xml version='1.0' encoding='UTF-8'?>{root}<NewsEnvelope><DateAndTime>20260109T092656Z</DateAndTime></NewsEnvelope>"
        f"<NewsItem><Identification><NewsIdentifier>{identifier}</NewsIdentifier></Identification>"
        f"<NewsManagement>{management}</NewsManagement>{component}</NewsItem></NewsML>"
    )


def nitf_content(body: str, kind: str = "Text", head: str = "") -> str:
    """A content item that holds NITF."""
    return (
        f"<ContentItem><MediaType FormalName='{kind}'/><Format FormalName='NITF3.1'/><DataContent><nitf><body>{head}"
        f"<body.content>{body}</body.content></body></nitf></DataContent></ContentItem>"
    )


LANGUAGE = "<DescriptiveMetadata><Language FormalName='en'/></DescriptiveMetadata>"


def part(role: str, text: str, headline: str = "", language: str = "", duid: str = "") -> str:
    """A component with plain text."""
    lines = f"<NewsLines><HeadLine>{headline}</HeadLine></NewsLines>" if headline else ""
    return (
        f"<NewsComponent Duid='{duid}'{f' xml:lang={language!r}' if language else ''}><Role FormalName='{role}'/>{lines}"
        f"<ContentItem><Format FormalName='Text'/><DataContent>{text}</DataContent></ContentItem></NewsComponent>"
    )


def anpa(
    keyword: str,
    lines: str,
    *,
    priority: str = "r",
    category: str = "i",
    trailer: str = "QNA-QH-01-09-26 1530GMT",
    format_: str = "\x13\x11",
) -> str:
    """An ANPA 1312 message."""
    body = lines.replace("\n", "\r\n")
    return f"\x16\x16\x01a0421\x1fclnt-\r\n{priority} {category}{format_} {keyword} 01-09 0123\r\n\x02{body}\x03\r\n{trailer}\r\n\x04"


def nitf(
    body: str,
    *,
    head: str = "",
    top: str = "<hedline><hl1>Locks open again</hl1></hedline>",
    data: str = "",
    root: str = "<nitf>",
) -> str:
    """A NITF document."""
    return f"<?xml version='1.0' encoding='UTF-8'?>{root}<head>{head}<docdata>{data}</docdata></head><body><body.head>{top}</body.head><body.content>{body}</body.content></body></nitf>"


def wire(header: str, slug: str, text: str, end: str = "\x03\r\n091530 GMT JAN 26\r\n\x04") -> bytes:
    """An IPTC 7901 message."""
    lines = text.replace("\n", "\r\n")
    return f"\x01{header}\r\n{slug}\r\n\x02{lines}{end}".encode("latin-1")


DC = "xmlns:dc='http://purl.org/dc/elements/1.1/'"


ATOM = "http://www.w3.org/2005/Atom"


def rss(
    item: str,
    *,
    root: str = "<rss version='2.0'>",
    head: str = "<title>Quay</title><link>https://quay.example/</link>",
) -> str:
    """A feed of one item."""
    return f"<?xml version='1.0' encoding='utf-8'?>{root}<channel>{head}<item>{item}</item></channel></rss>"


def atom(
    entry: str, *, root: str = f"<feed xmlns='{ATOM}'>", head: str = "<title>Quay</title><id>urn:quay</id>"
) -> str:
    """A feed of one entry."""
    return f"<?xml version='1.0' encoding='utf-8'?>{root}{head}<entry>{entry}</entry></feed>"


def dated(text: str, language: str = "", element: str = "pubDate") -> str:
    """A feed whose item has a date."""
    head = f"<title>Quay</title>{f'<language>{language}</language>' if language else ''}"
    return rss(
        f"<title>Ferry</title><guid isPermaLink='false'>g1</guid><{element}>{text}</{element}>", head=head
    )


G2 = "<newsItem xmlns='http://iptc.org/std/nar/2006-10-01/' guid='urn:quay:{0}' version='1' standard='NewsML-G2'><itemMeta><itemClass qcode='ninat:{1}'/></itemMeta><contentMeta><headline>{2}</headline></contentMeta><contentSet>{3}</contentSet></newsItem>"


def html(words: str) -> str:
    """Inline XHTML."""
    return f"<inlineXML contenttype='application/xhtml+xml'><html xmlns='http://www.w3.org/1999/xhtml'><body><p>{words}</p></body></html></inlineXML>"


P1, P2 = "The mill of Tarnby stopped on Monday, said its owner Eva Lind.", "Sixty people work there."


COPY, PLAIN = f"<p>{P1}</p><p>{P2}</p>", f"{P1}\n\n{P2}"


HEAD = "<NewsLines><HeadLine>Mill of Tarnby stops</HeadLine></NewsLines>"


NAR = "xmlns='http://iptc.org/std/nar/2006-10-01/'"


TEXT = {"type": "text", "versioncreated": "2026-03-02T08:15:00Z"}


def g2(
    meta: str, content: str = html(P1), *, version: str = "3", item: str = "<itemClass qcode='ninat:text'/>"
) -> str:
    """An item of NewsML-G2."""
    return f"<?xml version='1.0'?><newsItem {NAR} guid='urn:quay:m1' version='{version}' standard='NewsML-G2' standardversion='2.30' xml:lang='en'><itemMeta>{item}</itemMeta><contentMeta>{meta}</contentMeta><contentSet>{content}</contentSet></newsItem>"


def mail(head: str, body: str) -> bytes:
    """A message."""
    return f"From: desk@q.example\nMessage-ID: <m1@q.example>\nDate: Mon, 02 Mar 2026 08:15:00 +0100\n{head}\n\n{body}".encode()


def find_faults(cases: Mapping[str, Case]) -> dict[str, list[str]]:
    """What is wrong in some cases, by name; empty where all are right."""
    found = {name: differences(*case) for name, case in cases.items()}
    return {name: wrong for name, wrong in found.items() if wrong}


def half_of(cases: Mapping[str, Case], half: str) -> dict[str, Case]:
    """The cases at even places (A), which were looked at to mend the kinds, or those at odd places (B), which were not."""
    return dict(list(cases.items())[0 if half == "A" else 1 :: 2])
