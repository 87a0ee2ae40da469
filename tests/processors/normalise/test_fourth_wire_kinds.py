"""A fourth set of wire documents, written after the kinds of the third were mended, and marked before the program ran."""

from __future__ import annotations

import orjson

from tests.processors.normalise.documents import (
    COPY,
    HEAD,
    LANGUAGE,
    P1,
    P2,
    PLAIN,
    TEXT,
    Case,
    anpa,
    find_faults,
    g2,
    mail,
    newsml,
    nitf,
    nitf_content,
    part,
    wire,
)

FUTURE = "<NewsItemType FormalName='News'/><ThisRevisionCreated>20260302T071500Z</ThisRevisionCreated>"

CASES: dict[str, Case] = {
    "NewsML 1.2: status by qualifier": (newsml(f"<NewsComponent>{HEAD}{LANGUAGE}{nitf_content(COPY)}</NewsComponent>", management=FUTURE + "<Status FormalName='USABLE'/><Urgency FormalName='1'/>"), [{"headline": "Mill of Tarnby stops", "text": PLAIN, "story.urgency": 1, "story.pubStatus": "usable"}]),
    "NewsML 1.2: a byline in the text only": (newsml(f"<NewsComponent>{HEAD}{LANGUAGE}{nitf_content(COPY, head='<body.head><byline>Eva Lind</byline></body.head>')}</NewsComponent>"), [{"story.by": "Eva Lind", "text": PLAIN}]),
    "NewsML 1.2: a caption component before the main one": (newsml(f"<NewsComponent>{HEAD}{LANGUAGE}" + part("Caption", "The mill.") + f"<NewsComponent><Role FormalName='Main'/>{nitf_content(COPY)}</NewsComponent></NewsComponent>"), [{"headline": "Mill of Tarnby stops", "text": PLAIN}]),
    "NewsML 1.2: keywords": (newsml(f"<NewsComponent><NewsLines><HeadLine>Mill of Tarnby stops</HeadLine><KeywordLine>mill</KeywordLine><KeywordLine>work</KeywordLine></NewsLines>{LANGUAGE}{nitf_content(COPY)}</NewsComponent>"), [{"story.subjects.name+": ["mill", "work"]}]),
    "NewsML 1.2: revision 7": (newsml(f"<NewsComponent>{HEAD}{LANGUAGE}{nitf_content(COPY)}</NewsComponent>", identifier="<ProviderId>quay.example</ProviderId><DateId>20260302</DateId><NewsItemId>M-1</NewsItemId><RevisionId PreviousRevision='6' Update='A'>7</RevisionId>"), [{"story.version": "7", "story.uri": "urn:newsml:quay.example:20260302:M-1"}]),
    "NewsML 1.2: Russian": (newsml("<NewsComponent xml:lang='ru'><NewsLines><HeadLine>Мельница встала</HeadLine></NewsLines>" + nitf_content("<p>ТАРНБИ, 2 марта. /КНА/. Мельница Тарнби встала в понедельник.</p>") + "</NewsComponent>"), [{"headline": "Мельница встала", "language.declared": "ru", "text+": "Мельница Тарнби встала"}]),
    "G2: by, credit and copyright": (g2("<headline>Mill stops</headline><by>Eva Lind</by><creditline>QNA</creditline>"), [{"story.by": "Eva Lind", "text": P1}]),
    "G2: a description as summary": (g2("<headline>Mill stops</headline><description role='drol:summary'>In short.</description>"), [{"text": P1, "story.descriptions.value+": ["In short."]}]),
    "G2: an item without a headline but a title": (g2("", "<inlineData contenttype='text/plain'>The mill stopped.</inlineData>", item="<itemClass qcode='ninat:text'/><title>Mill stops</title>"), [{"text": "The mill stopped."}]),
    "G2: version and dates": (g2("<contentCreated>2026-03-02T07:00:00+01:00</contentCreated><headline>Mill stops</headline>", item="<itemClass qcode='ninat:text'/><versionCreated>2026-03-02T09:00:00+01:00</versionCreated><firstCreated>2026-03-02T08:00:00+01:00</firstCreated>"), [{"story.versionCreated": "2026-03-02T08:00:00Z", "story.firstCreated": "2026-03-02T07:00:00Z"}]),
    "NITF: fixture and series": (nitf(COPY, data="<doc-id id-string='n1'/><fixture fix-id='daily'/><series series.name='mills' series.part='1'/>"), [{"headline": "Locks open again", "text": PLAIN}]),
    "NITF: a definition list and a quotation": (nitf("<p>First.</p><dl><dt>Rye</dt><dd>Eight</dd></dl><p>Last.</p>"), [{"text+": ["First.", "Rye", "Eight", "Last."]}]),
    "NITF: entities of a document type": ("<!DOCTYPE nitf [<!ENTITY qna 'QNA &#38; Co'>]>" + nitf("<p>The &qna; says so.</p>").partition("?>")[2], [{"text": "The QNA & Co says so."}]),
    "NITF: no body.content": ("<nitf><head/><body><body.head><hedline><hl1>Mill stops</hl1></hedline><abstract><p>The mill stopped.</p></abstract></body.head></body></nitf>", [{"headline": "Mill stops", "text": "The mill stopped."}]),
    "IPTC 7901: German with national letters": (wire("qay0081 4 wi 57 qay 0801", "mühle/", "Mühle von Tarnby steht still =\n\n   Tarnby (qay) - Die Mühle steht seit Montag.\n   Sechzig Leute arbeiten dort.\n"), [{"headline": "Mühle von Tarnby steht still", "language.tag": "de"}]),
    "IPTC 7901: urgent": (wire("qay0082 2 wi 12 qay 0802", "mill/", "Mill of Tarnby stops - owner =\n"), [{"headline": "Mill of Tarnby stops - owner", "story.urgency": 2}]),
    "IPTC 7901: with a desk code at the end": (wire("qay0083 4 i 57 qay 0803", "mill/", "Mill of Tarnby stops =\n\n   Tarnby (qay) - The mill stopped on Monday.\n   Sixty people work there. qay el pl\n"), [{"headline": "Mill of Tarnby stops", "text+": "Sixty people work there."}]),
    "ANPA: a first add with a state": (anpa("BC-Mill-Stops,1st Add,0100", "^BC-Mill-Stops, 1st Add,0100<\n^ST. TARNBY, Ohio: rye is dear.<\n\tThe owner hopes for rain.\n\tSixty people work there.\n"), [{"headline-": "TARNBY", "text+": "The owner hopes for rain."}]),
    "ANPA: a correction": (anpa("BC-Mill Stops,CORRECTION,0060", "^BC-Mill Stops, CORRECTION,0060<\n^Eds: Corrects number of people in 2nd graf.<\n^Mill of Tarnby stops<\n\tTARNBY (QNA) _ The mill stopped.\n\tSixty people work there.\n"), [{"headline": "Mill of Tarnby stops", "story.edNote+": "Corrects number", "story.pubStatus": "usable"}]),
    "ANPA: a sports table": (anpa("BC-ROW--Results,0040", "^BC-ROW--Results,0040<\n^Rowing results<\n\bTarnby\x10 7\x10 3<\n\bLund\x10 5\x10 5<\n", category="q", format_="\x14\x12"), [{"headline": "Rowing results", "text-": "Tarnby7"}]),
    "ninjs 1: a caption alone": (orjson.dumps({"uri": "urn:n:4", **TEXT, "type": "picture", "headline": "The mill", "description_text": "The mill of Tarnby."}), [{"story.type": "picture", "text": "The mill of Tarnby."}]),
    "ninjs 3: an update of another": (orjson.dumps({"uri": "urn:n:5", "type": "text", "versionCreated": "2026-03-02T08:15:00Z", "version": "2", "headlines": [{"role": "main", "value": "Mill stops"}], "bodies": [{"role": "main", "contentType": "text/html", "value": COPY}], "edNote": "Adds owner"}), [{"story.version": "2", "story.edNote": "Adds owner", "text": PLAIN}]),
    "mail: quoted answers above the copy are no headline": (mail("Subject: Re: Mill of Tarnby stops", f"{PLAIN}\n"), [{"headline": "Mill of Tarnby stops"}]),
    "mail: latin-1 quoted-printable HTML": (mail("Subject: =?iso-8859-1?Q?M=FChle_steht?=\nMIME-Version: 1.0\nContent-Type: text/html; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable", "<p>Die M=FChle von Tarnby steht.</p><p>Sechzig Leute arbeiten dort.</p>"), [{"headline": "Mühle steht", "text": "Die Mühle von Tarnby steht.\n\nSechzig Leute arbeiten dort."}]),
    "three dispatches": (f"ZCZC\nMill stops\n\n{P1}\nNNNN\n\nZCZC\nRye is dear\n\n{P2} {P2} {P2}\nNNNN\nZCZC\nRain falls\n\n{P1}\nNNNN\n", [{"headline": "Mill stops"}, {"headline": "Rye is dear"}, {"headline": "Rain falls"}]),
}  # fmt: skip


def test_each_kind_is_read() -> None:
    assert find_faults(CASES) == {}
