"""A second set of wire documents, each in a kind of its own: invented, marked before the program ran.

Cases at even places are half A, which was looked at to mend the kinds; those at odd places are half B, which was not.
"""

from __future__ import annotations

import orjson
import pytest

from tests.processors.normalise.documents import (
    COPY,
    G2,
    HEAD,
    LANGUAGE,
    NAR,
    P1,
    P2,
    PLAIN,
    TEXT,
    Case,
    anpa,
    find_faults,
    g2,
    half_of,
    html,
    mail,
    newsml,
    nitf,
    nitf_content,
    part,
    wire,
)

CASES: dict[str, Case] = {
    "NewsML 1.2: a correction replaces": (
        newsml(f"<NewsComponent>{HEAD}{LANGUAGE}{nitf_content(COPY)}</NewsComponent>", management="<NewsItemType FormalName='News'/><FirstCreated>20260302T0715Z</FirstCreated><ThisRevisionCreated>20260302T091500+0100</ThisRevisionCreated><Status FormalName='Usable'/><Urgency FormalName='5'/><RevisionHistory Href='h'/>"),
        [{"headline": "Mill of Tarnby stops", "text": PLAIN, "story.urgency": 5, "story.versionCreated": "2026-03-02T08:15:00Z"}],
    ),
    "NewsML 1.2: an embargo with its end": (
        newsml(f"<NewsComponent>{HEAD}{LANGUAGE}{nitf_content(COPY)}</NewsComponent>", management="<NewsItemType FormalName='News'/><ThisRevisionCreated>20260302T071500Z</ThisRevisionCreated><Status FormalName='Embargoed'/><StatusWillChange><FutureStatus FormalName='Usable'/><DateAndTime>20260302T120000+0100</DateAndTime></StatusWillChange>"),
        [{"headline": "Mill of Tarnby stops", "story.pubStatus": "withheld", "story.embargoedUntil": "2026-03-02T11:00:00Z"}],
    ),
    "NewsML 1.2: several headlines in languages": (
        newsml(f"<NewsComponent><NewsLines><HeadLine xml:lang='de'>Mühle von Tarnby steht</HeadLine><SubHeadLine>Sixty without work</SubHeadLine></NewsLines><DescriptiveMetadata><Language FormalName='de'/></DescriptiveMetadata>{nitf_content('<p>Die Mühle von Tarnby steht seit Montag.</p>')}</NewsComponent>"),
        [{"headline": "Mühle von Tarnby steht", "text+": "Die Mühle von Tarnby steht seit Montag.", "language.declared": "de"}],
    ),
    "NewsML 1.2: a byline by property and a place": (
        newsml(f"<NewsComponent><NewsLines><HeadLine>Mill of Tarnby stops</HeadLine><ByLine>By Eva Lind</ByLine><DateLine>TARNBY, March 2</DateLine></NewsLines><AdministrativeMetadata><Provider><Party FormalName='QNA'/></Provider><Creator><Party FormalName='Eva Lind'/></Creator></AdministrativeMetadata><DescriptiveMetadata><Language FormalName='en-GB'/><Location><Property FormalName='Country' Value='DK'/><Property FormalName='City' Value='Tarnby'/></Location></DescriptiveMetadata>{nitf_content(COPY)}</NewsComponent>"),
        [{"story.by+": "Eva Lind", "text+": ["TARNBY, March 2", P1], "language.declared": "en-GB"}],
    ),
    "NewsML 1.2: three stories in one component": (
        newsml(f"<NewsComponent>{LANGUAGE}" + "".join(f"<NewsComponent Essential='yes'><NewsLines><HeadLine>{head}</HeadLine></NewsLines>{nitf_content(f'<p>{words}</p>')}</NewsComponent>" for head, words in (("Mill stops", P1), ("Rye is dear", "Rye costs 8 crowns a kilo since Friday."))) + "</NewsComponent>"),
        [{"headline": "Mill stops", "text": P1}, {"headline": "Rye is dear"}],
    ),
    "NewsML 1.2: plain text with entities and CDATA": (
        newsml(f"<NewsComponent>{HEAD}{LANGUAGE}<ContentItem><MediaType FormalName='Text'/><Format FormalName='bcNITF2.5'/><DataContent><![CDATA[{COPY}]]></DataContent></ContentItem></NewsComponent>"),
        [{"text": PLAIN}],
    ),
    "NewsML 1.2: a picture by renditions beside the text": (
        newsml(f"<NewsComponent>{HEAD}{LANGUAGE}<NewsComponent><Role FormalName='Main'/>{nitf_content(COPY)}</NewsComponent><NewsComponent><Role FormalName='Supporting'/><NewsLines><HeadLine>The mill</HeadLine><CreditLine>Quay/Per Lie</CreditLine></NewsLines>" + "".join(f"<NewsComponent><Role FormalName='{role}'/><ContentItem Href='{role}.jpg'><MediaType FormalName='Photo'/></ContentItem></NewsComponent>" for role in ("Preview", "Thumbnail", "HighRes")) + part("Caption", "The mill of Tarnby.") + "</NewsComponent></NewsComponent>"),
        [{"headline": "Mill of Tarnby stops", "text": PLAIN, "story.associations.type": ["picture"]}],
    ),
    "NewsML 1.2: a catalogue and a document type": (
        newsml(f"<NewsComponent>{HEAD}{LANGUAGE}{nitf_content(COPY)}</NewsComponent>").replace("<NewsML", "<!DOCTYPE NewsML SYSTEM 'NewsML_1.2.dtd'><NewsML", 1).replace("<NewsEnvelope", "<Catalog Href='http://www.iptc.org/x.xml'/><NewsEnvelope"),
        [{"headline": "Mill of Tarnby stops", "text": PLAIN}],
    ),
    "NewsML 1.2: withdrawn": (
        newsml(f"<NewsComponent>{HEAD}{LANGUAGE}{nitf_content('<p>This item is withdrawn.</p>')}</NewsComponent>", management="<NewsItemType FormalName='News'/><ThisRevisionCreated>20260302T071500Z</ThisRevisionCreated><Status FormalName='Withdrawn'/>"),
        [{"story.pubStatus": "canceled"}],
    ),
    "NewsML 1.2: withheld": (
        newsml(f"<NewsComponent>{HEAD}{LANGUAGE}{nitf_content(COPY)}</NewsComponent>", management="<NewsItemType FormalName='News'/><ThisRevisionCreated>20260302T071500Z</ThisRevisionCreated><Status FormalName='Withheld'/>"),
        [{"story.pubStatus": "withheld"}],
    ),
    "G2: withheld and embargoed": (
        g2("<headline>Mill stops</headline>", item="<itemClass qcode='ninat:text'/><pubStatus qcode='stat:withheld'/><embargoed>2026-03-02T12:00:00+01:00</embargoed>"),
        [{"story.pubStatus": "withheld", "story.embargoedUntil": "2026-03-02T11:00:00Z", "story.version": "3"}],
    ),
    "G2: cancelled without content": (
        f"<newsItem {NAR} guid='urn:quay:m1' version='4'><itemMeta><itemClass qcode='ninat:text'/><pubStatus qcode='stat:canceled'/></itemMeta></newsItem>",
        [{"story.pubStatus": "canceled", "story.uri": "urn:quay:m1", "story.version": "4"}],
    ),
    "G2: two headlines by role, a slug line, an editor's note": (
        g2("<slugline>MILL</slugline><headline role='hlrole:subhead'>Sixty without work</headline><headline role='hlrole:main'>Mill stops</headline><by>Eva Lind</by><urgency>2</urgency>", item="<itemClass qcode='ninat:text'/><edNote>Adds owner</edNote>"),
        [{"headline": "Mill stops", "story.slugline": "MILL", "story.by": "Eva Lind", "story.urgency": 2, "story.edNote": "Adds owner"}],
    ),
    "G2: NITF inside": (
        g2("<headline>Mill stops</headline>", f"<inlineXML contenttype='application/nitf+xml'><nitf xmlns='http://iptc.org/std/NITF/2006-10-18/'><body><body.head><hedline><hl1>Mill stops</hl1></hedline></body.head><body.content>{COPY}</body.content></body></nitf></inlineXML>"),
        [{"headline": "Mill stops", "text": PLAIN}],
    ),
    "G2: escaped HTML in inline data": (
        g2("<headline>Mill stops</headline>", f"<inlineData contenttype='text/html'>{COPY.replace('<', '&lt;')}</inlineData>"),
        [{"headline": "Mill stops", "text": PLAIN}],
    ),
    "G2: two renditions of one text": (
        g2("<headline>Mill stops</headline>", f"<inlineData rendition='rnd:short' contenttype='text/plain'>Mill stops.</inlineData><inlineData rendition='rnd:full' contenttype='text/plain'>{PLAIN}</inlineData>"),
        [{"text": PLAIN}],
    ),
    "G2: a prefix of its own": (
        g2("<headline>Mill stops</headline>").replace("xmlns=", "xmlns:n=", 1).replace("<newsItem", "<n:newsItem").replace("</newsItem", "</n:newsItem").replace("itemMeta>", "n:itemMeta>").replace("</n:itemMeta>", "</n:itemMeta>").replace("<itemClass", "<n:itemClass").replace("contentMeta>", "n:contentMeta>").replace("contentSet>", "n:contentSet>").replace("headline>", "n:headline>").replace("inlineXML", "n:inlineXML").replace("/n:n:", "/n:"),
        [{"headline": "Mill stops", "text": P1}],
    ),
    "G2: a package of references and its items in a message": (
        f"<newsMessage {NAR}><header><sent>2026-03-02T08:15:00Z</sent></header><itemSet><packageItem guid='urn:quay:p' version='1'><itemMeta><itemClass qcode='ninat:composite'/></itemMeta><groupSet root='g'><group id='g' role='x'><itemRef residref='urn:quay:a'/><itemRef residref='urn:quay:b'/></group></groupSet></packageItem>{G2.format('a', 'text', 'Mill stops', html(P1))}{G2.format('b', 'text', 'Rye is dear', html(P2))}</itemSet></newsMessage>",
        [{"headline": "Mill stops"}, {"headline": "Rye is dear"}],
    ),
    "NITF: a correction by revision history": (
        nitf(COPY, data="<doc-id id-string='q77' regsrc='QNA'/><urgency ed-urg='2'/><date.issue norm='20260302T081500+0100'/><ed-msg info='CORRECTS owner'/><du-key key='MILL' version='3'/>"),
        [{"headline": "Locks open again", "text": PLAIN, "story.urgency": 2, "story.edNote+": "CORRECTS owner", "story.version": "3"}],
    ),
    "NITF: only hl2 and kicker": (
        nitf(COPY, top="<hedline><hl2>Mill of Tarnby stops</hl2></hedline><byline>By <person>Eva Lind</person></byline><dateline><location>TARNBY</location><story.date>March 2</story.date></dateline>"),
        [{"headline": "Mill of Tarnby stops", "story.by": "Eva Lind", "text+": "TARNBY"}],
    ),
    "NITF: embargo by date.release": (
        nitf(COPY, data="<date.issue norm='20260302T081500Z'/><date.release norm='20260302T1200Z'/><doc.rights/>"),
        [{"headline": "Locks open again", "story.embargoedUntil": "2026-03-02T12:00:00Z", "story.pubStatus": "withheld"}],
    ),
    "NITF: lists, quotes, subheads and a footer": (
        nitf("<p>First.</p><hl2>Rye</hl2><ul><li>Eight crowns</li><li>Nine crowns</li></ul><bq><block><p>We wait.</p></block></bq><p>Last.<br/>Line.</p>"),
        [{"text": "First.\n\nRye\n\n- Eight crowns\n- Nine crowns\n\nWe wait.\n\nLast.\nLine."}],
    ),
    "NITF: nothing but a caption": (
        nitf("<media media-type='image'><media-reference source='mill.jpg' mime-type='image/jpeg'/><media-caption>The mill of Tarnby on Monday.</media-caption><media-producer>Per Lie</media-producer></media>"),
        [{"headline": "Locks open again", "story.associations.type": ["picture"]}],
    ),
    "NITF: latin-1 with entities of HTML": (
        nitf("<p>M&uuml;hle &ndash; still.</p>", top="<hedline><hl1>M&uuml;hle</hl1></hedline>").replace("UTF-8", "ISO-8859-1").encode("latin-1"),
        [{"headline": "Mühle", "text": "Mühle – still."}],
    ),
    "IPTC 7901: an update with a version word": (
        wire("qay0060 3 i 147 qay 0780", "mill/", "(2nd Update)\nMill of Tarnby stops =\n\n   Tarnby (qay) - The mill stopped on Monday.\n"),
        [{"headline": "Mill of Tarnby stops", "text+": "Tarnby (qay) - The mill"}],
    ),
    "IPTC 7901: an embargo line": (
        wire("qay0061 3 i 147 qay 0781", "mill/", "Sperrfrist: 2. März 2026, 18.00 Uhr\nDie Mühle von Tarnby steht still =\n\n   Tarnby (qay) - Die Mühle steht seit Montag still.\n   Sechzig Leute arbeiten dort.\n"),
        [{"headline": "Die Mühle von Tarnby steht still", "story.pubStatus": "withheld"}],
    ),
    "IPTC 7901: a take of two": (
        wire("qay0062 4 i 147 qay 0782", "mill-2/", "Mill of Tarnby stops (take 2) =\n\n   - Sixty people work there.\n   The owner hopes for rain.\n   (MORE)\n"),
        [{"headline+": "Mill of Tarnby stops", "text+": "The owner hopes for rain."}],
    ),
    "IPTC 7901: a message without a word count": (
        wire("qay0063 4 i", "mill/", "Mill of Tarnby stops =\n\n   Tarnby (qay) - The mill stopped on Monday.\n"),
        [{"headline": "Mill of Tarnby stops"}],
    ),
    "ANPA: pickup line of an add": (
        anpa("BC-Mill Stops,1st Add,0100", "^BC-Mill Stops, 1st Add,0100<\n^TARNBY: work there.<\n\tThe owner, Eva Lind, said that rain would help.\n\tRye was dear on Monday.\n"),
        [{"headline-": "TARNBY", "text+": "The owner, Eva Lind, said that rain would help.", "story.slugline+": "Mill"}],
    ),
    "ANPA: pickup line of a lead": (
        anpa("BC-Mill Stops,1st Ld,0100", "^BC-Mill Stops, 1st Ld,0100<\n^Mill of Tarnby stops<\n^By EVA LIND<\n\tTARNBY (QNA) _ The mill stopped on Monday.\n\tSixty people work there.\n^PICKUP 3rd graf: The owner<\n"),
        [{"headline": "Mill of Tarnby stops", "story.by": "EVA LIND"}],
    ),
    "ANPA: a kill by its words": (
        anpa("BC-Mill Stops,KILL,0040", "^BC-Mill Stops, KILL,0040<\n^Eds: Members are asked to kill the story slugged Mill Stops. The owner was not interviewed. A kill is mandatory.<\n^The QNA<\n", priority="u"),
        [{"story.pubStatus": "canceled"}],
    ),
    "ANPA: an advance for Sunday": (
        anpa("BC-Mill Stops,ADV08,0100", "^BC-Mill Stops, ADV08,0100<\n^$adv08<\n^For release Sunday, March 8, and thereafter<\n^Mill of Tarnby stops<\n\tTARNBY (QNA) _ The mill stopped.\n", trailer="QNA-QH-03-02-26 1530GMT"),
        [{"headline": "Mill of Tarnby stops", "story.pubStatus": "withheld"}],
    ),
    "ANPA: fractions and quads": (
        anpa("BC-Rye Prices,0050", "^BC-Rye Prices,0050<\n^Rye prices rise<\n\tTARNBY (QNA) _ Rye rose 3^1/2 crowns to 8 crowns.<\n\tWheat was flat.<\n", category="f"),
        [{"headline": "Rye prices rise", "text+": "Wheat was flat."}],
    ),
    "ninjs 1: HTML and keywords": (
        orjson.dumps({"uri": "urn:n:1", **TEXT, "headline": "Mill stops", "body_html": COPY, "byline": "By Eva Lind", "located": "Tarnby", "slugline": "mill", "urgency": 3, "language": "en", "profile": "text", "version": "2", "pubstatus": "usable", "subject": [{"code": "04000000", "name": "economy"}]}),
        [{"headline": "Mill stops", "text": PLAIN, "story.by+": "Eva Lind", "story.version": "2", "story.urgency": 3, "language.declared": "en"}],
    ),
    "ninjs 2: headlines and bodies by name": (
        orjson.dumps({"uri": "urn:n:1", "type": "text", "versioncreated": "2026-03-02T08:15:00Z", "headlines": [{"role": "sub", "value": "Sixty"}, {"role": "main", "value": "Mill stops"}], "bodies": [{"role": "main", "contenttype": "text/html", "value": COPY}], "pubstatus": "usable", "altids": [{"role": "doc", "value": "77"}]}),
        [{"headline": "Mill stops", "text": PLAIN, "story.altIds.value+": ["77"]}],
    ),
    "ninjs 3: withheld with an end": (
        orjson.dumps({"uri": "urn:n:1", "type": "text", "versionCreated": "2026-03-02T08:15:00Z", "pubStatus": "withheld", "embargoedUntil": "2026-03-02T13:00:00+01:00", "headlines": [{"role": "main", "value": "Mill stops"}], "bodies": [{"role": "main", "contentType": "text/plain", "value": PLAIN}]}),
        [{"story.pubStatus": "withheld", "story.embargoedUntil": "2026-03-02T12:00:00Z", "text": PLAIN}],
    ),
    "ninjs: a list under items": (
        orjson.dumps({"_items": [{"uri": "urn:n:1", **TEXT, "headline": "Mill stops", "body_text": P1}, {"uri": "urn:n:2", **TEXT, "headline": "Rye is dear", "body_text": P2}], "_meta": {"total": 2}}),
        [{"headline": "Mill stops"}, {"headline": "Rye is dear"}],
    ),
    "ninjs: guid and a body alone": (
        orjson.dumps({"guid": "urn:n:1", **TEXT, "body_html": COPY, "name": "Mill stops"}),
        [{"story.uri": "urn:n:1", "text": PLAIN}],
    ),
    "ninjs: a cancelled item": (orjson.dumps({"uri": "urn:n:1", **TEXT, "pubstatus": "canceled"}), [{"story.pubStatus": "canceled", "story.uri": "urn:n:1"}]),
    "ninjs: a text without a type": (orjson.dumps({"uri": "urn:n:1", "headline": "Mill stops", "body_text": PLAIN}), [{"headline": "Mill stops", "text": PLAIN}]),
    "a plain dispatch with a head of mail in it": (
        "QNA0042 4 I 0042 QNA /MILL\n\nMill of Tarnby stops\n\nTARNBY, March 2 (QNA) - The mill of Tarnby stopped on Monday.\n\nSixty people work there.\n",
        [{"text+": "Sixty people work there."}],
    ),
    "two dispatches between ZCZC and NNNN, the second cut": (
        f"ZCZC\nMill of Tarnby stops\n\n{P1}\nNNNN\nZCZC\nRye is dear\n\nRye costs 8 crowns.\n",
        [{"headline": "Mill of Tarnby stops"}, {"headline": "Rye is dear"}],
    ),
    "a dispatch of carriage returns alone": (f"Mill of Tarnby stops\r\r{P1}\r\r{P2}\r", [{"headline": "Mill of Tarnby stops", "text+": P2}]),
    "a dispatch with form feeds and backspaces": (f"Mill of Tarnby stops\n\n\x0c{P1}\n\n{P2}\x1a", [{"headline": "Mill of Tarnby stops", "text+": [P1, P2]}]),
    "mail: an alert in the subject": (mail("Subject: ALERT - Mill of Tarnby stops", "TARNBY (QNA) - The mill of Tarnby stopped on Monday.\n"), [{"headline+": "Mill of Tarnby stops", "text+": "TARNBY (QNA)"}]),
    "mail: forwarded in the body": (mail("Subject: Fwd: Mill of Tarnby stops", f"---------- Forwarded message ----------\nFrom: eva@q.example\nDate: Mon, 2 Mar 2026\nSubject: Mill of Tarnby stops\nTo: desk@q.example\n\n{PLAIN}\n"), [{"headline": "Mill of Tarnby stops", "text+": P2}]),
    "mail: a signature": (mail("Subject: Mill of Tarnby stops", f"{PLAIN}\n\n-- \nEva Lind\nQuay News\n"), [{"headline": "Mill of Tarnby stops", "text+": P2}]),
    "mail: quoted-printable with soft breaks": (
        mail("Subject: =?utf-8?Q?M=C3=BChle_steht?=\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable", "Die M=C3=BChle von Tarnby steht seit Montag, sagte die Besitzerin =\nEva Lind.\n\nSechzig Leute arbeiten dort.\n"),
        [{"headline": "Mühle steht", "text+": "die Besitzerin Eva Lind".replace("die", "sagte die")}],
    ),
}  # fmt: skip


@pytest.mark.parametrize("half", "AB")
def test_each_kind_of_wire_document_is_read(half: str) -> None:
    assert find_faults(half_of(CASES, half)) == {}
