"""A fifth set of wire documents, each in a kind of its own: invented, marked before the program ran.

Cases at even places are half A, which was looked at to mend the kinds; those at odd places are half B, which was not.
"""

from __future__ import annotations

import base64

import orjson
import pytest

from processors.normalise.subjects import SUBJECT_CODE
from tests.processors.normalise.documents import (
    COPY,
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

P3 = "Rye has been dear since the autumn."
TIMES = "<NewsItemType FormalName='News'/><FirstCreated>20260302T071500Z</FirstCreated><ThisRevisionCreated>20260302T071500Z</ThisRevisionCreated>"
USABLE = TIMES + "<Status FormalName='Usable'/>"
MULTI = "MIME-Version: 1.0\nContent-Type: multipart/{0}; boundary=qq"


def parts(*bodies: str) -> str:
    """The parts of a message, each with its head."""
    return "".join(f"--qq\n{body}\n" for body in bodies) + "--qq--\n"


def identifier(item: str, revision: str, public: str = "") -> str:
    """The formal identification of a NewsML item."""
    return (
        f"<ProviderId>quay.example</ProviderId><DateId>20260302</DateId><NewsItemId>{item}</NewsItemId>{revision}"
        + (f"<PublicIdentifier>{public}</PublicIdentifier>" if public else "")
    )


def item(headline: str, words: str, number: int) -> str:
    """A whole NewsML item."""
    first = identifier(f"N{number}", "<RevisionId PreviousRevision='0' Update='N'>1</RevisionId>")
    return f"<NewsItem><Identification><NewsIdentifier>{first}</NewsIdentifier></Identification><NewsManagement>{USABLE}</NewsManagement><NewsComponent><NewsLines><HeadLine>{headline}</HeadLine></NewsLines>{LANGUAGE}{nitf_content(words)}</NewsComponent></NewsItem>"


# Seven marks here were wrong: of where Subject Codes stand (two), that typesetters' codes leave the text, that NITF's ``q`` sets
# marks, that its keywords are subjects, that a picture in a message is an event beside the text, and that markup wins over text.
CASES: dict[str, Case] = {
    # NewsML 1.2
    "NewsML 1.2: no public identifier": (newsml(f"<NewsComponent>{HEAD}{LANGUAGE}{nitf_content(COPY)}</NewsComponent>", identifier=identifier("M-2", "<RevisionId PreviousRevision='2' Update='N'>3</RevisionId>")), [{"story.uri": "urn:newsml:quay.example:20260302:M-2", "story.version": "3", "text": PLAIN}]),
    "NewsML 1.2: an update letter behind the public identifier": (newsml(f"<NewsComponent>{HEAD}{LANGUAGE}{nitf_content(COPY)}</NewsComponent>", identifier=identifier("M-2", "<RevisionId PreviousRevision='2' Update='U'>3</RevisionId>", "urn:newsml:quay.example:20260302:M-2:3U")), [{"story.uri": "urn:newsml:quay.example:20260302:M-2", "story.version": "3"}]),
    "NewsML 1.2: origins in a headline": (newsml(f"<NewsComponent><NewsLines><HeadLine>Mill of <Origin Href='#t1'>Tarnby</Origin> stops</HeadLine></NewsLines>{LANGUAGE}{nitf_content(COPY)}</NewsComponent>"), [{"headline": "Mill of Tarnby stops", "text": PLAIN}]),
    "NewsML 1.2: news lines of other types": (newsml(f"<NewsComponent><NewsLines><HeadLine>Mill of Tarnby stops</HeadLine><ByLine>Eva Lind</ByLine><ByLineTitle>Our reporter</ByLineTitle><CopyrightLine>(c) QNA</CopyrightLine><RightsLine>No archive</RightsLine><SlugLine>MILL-TARNBY</SlugLine><NewsLine><NewsLineType FormalName='EditorialNote'/><NewsLineText>With picture</NewsLineText></NewsLine></NewsLines>{LANGUAGE}{nitf_content(COPY)}</NewsComponent>"), [{"headline": "Mill of Tarnby stops", "story.by+": "Eva Lind", "story.slugline": "MILL-TARNBY", "text": PLAIN}]),
    "NewsML 1.2: equivalents in two formats": (newsml(f"<NewsComponent EquivalentsList='yes'>{HEAD}{LANGUAGE}<ContentItem><MediaType FormalName='Text'/><MimeType FormalName='text/plain'/><DataContent>{P1}\n\n{P2}</DataContent></ContentItem>{nitf_content(COPY)}</NewsComponent>"), [{"headline": "Mill of Tarnby stops", "text": PLAIN}]),
    "NewsML 1.2: equivalent components in two languages": (newsml("<NewsComponent EquivalentsList='yes'>" + "".join(f"<NewsComponent xml:lang='{tag}'><BasisForChoice>.//@xml:lang</BasisForChoice><Role FormalName='Main'/><NewsLines><HeadLine>{head}</HeadLine></NewsLines>{nitf_content(f'<p>{words}</p>')}</NewsComponent>" for tag, head, words in (("en", "Mill stops", P1), ("de", "Mühle steht", "Die Mühle von Tarnby steht seit Montag, sagte die Besitzerin."))) + "</NewsComponent>"), [{"headline": "Mill stops", "language.declared": "en"}, {"headline": "Mühle steht", "language.declared": "de"}]),
    "NewsML 1.2: items nested in a component": (newsml(f"<NewsComponent>{item('Mill stops', f'<p>{P1}</p>', 1)}{item('Rye is dear', f'<p>{P3} It costs 8 crowns.</p>', 2)}</NewsComponent>"), [{"headline": "Mill stops", "text": P1}, {"headline": "Rye is dear"}]),
    "NewsML 1.2: the text lies elsewhere": (newsml(f"<NewsComponent>{HEAD}{LANGUAGE}<ContentItem Href='M-2.xml'><MediaType FormalName='Text'/></ContentItem></NewsComponent>"), [{"headline": "Mill of Tarnby stops"}]),
    "NewsML 1.2: base64": (newsml(f"<NewsComponent>{HEAD}{LANGUAGE}<ContentItem><MediaType FormalName='Text'/><Format FormalName='NITF3.1'/><Encoding Notation='base64'><DataContent>{base64.b64encode(nitf(COPY, top='').encode()).decode()}</DataContent></Encoding></ContentItem></NewsComponent>"), [{"headline": "Mill of Tarnby stops", "text": PLAIN}]),
    "NewsML 1.2: a page of XHTML with its head": (newsml(f"<NewsComponent>{HEAD}{LANGUAGE}<ContentItem><MediaType FormalName='Text'/><Format FormalName='XHTML'/><DataContent><html xmlns='http://www.w3.org/1999/xhtml'><head><title>Page</title><style>p {{}}</style></head><body><p>{P1}</p><p>{P2}</p></body></html></DataContent></ContentItem></NewsComponent>"), [{"headline": "Mill of Tarnby stops", "text": PLAIN}]),
    "NewsML 1.2: subjects three levels deep": (newsml(f"<NewsComponent>{HEAD}<DescriptiveMetadata><Language FormalName='en'/><SubjectCode><Subject FormalName='04000000'/><SubjectMatter FormalName='04001000'/><SubjectDetail FormalName='04001002'/></SubjectCode></DescriptiveMetadata>{nitf_content(COPY)}</NewsComponent>"), [{"text": PLAIN, "story.subjects.uri+": [f"{SUBJECT_CODE}{code}" for code in ("04000000", "04001000", "04001002")]}]),
    "NewsML 1.2: a set of topics in the document": (newsml(f"<NewsComponent>{HEAD}<DescriptiveMetadata><Language FormalName='en'/><TopicOccurrence Topic='#t1'/></DescriptiveMetadata>{nitf_content(COPY)}</NewsComponent>").replace("<NewsEnvelope>", "<TopicSet FormalName='places'><Topic Duid='t1'><TopicType FormalName='Place'/><FormalName Scheme='qna'>TAR</FormalName><Description xml:lang='en' Variant='Name'>Tarnby</Description></Topic></TopicSet><NewsEnvelope>"), [{"headline": "Mill of Tarnby stops", "text": PLAIN}]),
    "NewsML 1.2: an instruction to rectify": (newsml(f"<NewsComponent>{HEAD}{LANGUAGE}{nitf_content(COPY)}</NewsComponent>", management=USABLE + "<Instruction FormalName='Rectify'><RevisionStatus PreviousRevision='1'><Status FormalName='Canceled'/></RevisionStatus></Instruction>"), [{"headline": "Mill of Tarnby stops", "story.pubStatus": "usable", "text": PLAIN}]),
    "NewsML 1.2: a picture alone with renditions": (newsml("<NewsComponent><NewsLines><HeadLine>The mill</HeadLine></NewsLines><NewsComponent><Role FormalName='Caption'/><ContentItem><MediaType FormalName='Text'/><DataContent>The mill of Tarnby on Monday.</DataContent></ContentItem></NewsComponent><NewsComponent><Role FormalName='Main'/><ContentItem Href='m.jpg'><MediaType FormalName='Photo'/><MimeType FormalName='image/jpeg'/></ContentItem></NewsComponent></NewsComponent>"), [{"story.type": "picture", "text": "The mill of Tarnby on Monday.", "headline": "The mill"}]),
    "NewsML 1.2: main text, box and picture in a package": (newsml(f"<NewsComponent>{LANGUAGE}<NewsComponent Essential='yes'><Role FormalName='Main'/>{HEAD}{nitf_content(COPY)}</NewsComponent><NewsComponent><Role FormalName='Supporting'/><NewsLines><HeadLine>The mill</HeadLine></NewsLines><ContentItem Href='m.jpg'><MediaType FormalName='Photo'/></ContentItem></NewsComponent></NewsComponent>"), [{"headline": "Mill of Tarnby stops", "text": PLAIN, "story.associations.0.type": "picture"}]),
    "NewsML 1.2: latin-1 with references": (newsml(f"<NewsComponent><NewsLines><HeadLine>Mühle &#x2013; steht</HeadLine></NewsLines><DescriptiveMetadata><Language FormalName='de-AT'/></DescriptiveMetadata>{nitf_content('<p>Die Mühle von Tarnby steht seit Montag.</p>')}</NewsComponent>").replace("UTF-8", "ISO-8859-1").encode("latin-1"), [{"headline": "Mühle – steht", "text": "Die Mühle von Tarnby steht seit Montag.", "language.declared": "de-AT"}]),
    "NewsML 1.2: a text of lines with carriage returns": (newsml(f"<NewsComponent>{HEAD}{LANGUAGE}<ContentItem><MediaType FormalName='Text'/><DataContent>   {P1}&#13;\n   {P2}&#13;\n</DataContent></ContentItem></NewsComponent>"), [{"text+": [P1, P2], "text-": "\r"}]),
    "NewsML 1.2: a bulletin with a slug for its headline": (newsml(f"<NewsComponent><NewsLines><HeadLine>BULLETIN</HeadLine><SlugLine>MILL-TARNBY</SlugLine></NewsLines>{LANGUAGE}{nitf_content('<p>Mill of Tarnby stops, owner says</p>')}</NewsComponent>", management=USABLE + "<Urgency FormalName='1'/>"), [{"story.urgency": 1, "text+": "Mill of Tarnby stops, owner says"}]),
    "NewsML 1.2: killed by status in a vocabulary": (newsml(f"<NewsComponent>{HEAD}{LANGUAGE}</NewsComponent>", management=TIMES + "<Status FormalName='Canceled' Vocabulary='urn:newsml:iptc.org:20001006:NewsItemStatus:1'/>"), [{"story.pubStatus": "canceled"}]),
    "NewsML 1.2: comments, instructions and a style sheet": (newsml(f"<NewsComponent><!-- desk --><?desk x?>{HEAD}{LANGUAGE}{nitf_content(COPY)}</NewsComponent>").replace("<NewsML ", "<?xml-stylesheet href='n.xsl' type='text/xsl'?><!DOCTYPE NewsML PUBLIC 'urn:newsml:iptc.org:20021018:NewsMLv1.2.dtd:1' 'http://www.iptc.org/NewsML/DTD/NewsMLv1.2.dtd'><NewsML ", 1), [{"headline": "Mill of Tarnby stops", "text": PLAIN}]),
    "NewsML 1.2: a summary as main and the long text as body": (newsml(f"<NewsComponent>{HEAD}{LANGUAGE}" + part("Lead", P1) + part("Body", f"{P2}\n\n{P3}") + "</NewsComponent>"), [{"headline": "Mill of Tarnby stops", "text+": [P1, P2, P3]}]),
    # NITF
    "NITF: enriched words": (nitf("<p><person><name.given>Eva</name.given> <name.family>Lind</name.family></person> paid <money unit='DKK'>8 crowns</money> on <chron norm='20260302'>Monday</chron> in <location><city>Tarnby</city></location> for <num>12</num> sacks, <q>not more</q>.</p>"), [{"text": "Eva Lind paid 8 crowns on Monday in Tarnby for 12 sacks, not more."}]),
    "NITF: fractions and marks above and below": (nitf("<p>Rye rose <num>3 <frac><numer>1</numer><frac-sep>/</frac-sep><denom>2</denom></frac></num> crowns; H<sub>2</sub>O fell.</p>"), [{"text": "Rye rose 3 1/2 crowns; H2O fell."}]),
    "NITF: a block quotation with its credit": (nitf(f"<p>{P1}</p><bq><block><p>Rye is dear.</p></block><credit>Eva Lind</credit></bq><p>{P2}</p>"), [{"text+": [P1, "Rye is dear.", P2], "headline": "Locks open again"}]),
    "NITF: byline of a person with a title, and a dateline": (nitf(COPY, top="<hedline><hl1>Mill stops</hl1></hedline><byline>By <person>Eva Lind</person><byttl>QNA Writer</byttl></byline><distributor>QNA</distributor><dateline><location>TARNBY, Denmark</location> <story.date norm='20260302'>March 2</story.date></dateline>"), [{"headline": "Mill stops", "story.by+": "Eva Lind", "text+": ["TARNBY, Denmark", P1]}]),
    "NITF: identifiers, dates and urgency": (nitf(COPY, data="<doc-id regsrc='QNA' id-string='qna-77'/><urgency ed-urg='2'/><date.issue norm='20260302T081500+0100'/><date.release norm='20260302T081500+0100'/><date.expire norm='20260309T000000Z'/><du-key generation='2' version='3' key='MILL'/><key-list><keyword key='mill'/><keyword key='rye'/></key-list>"), [{"story.altIds.value+": ["qna-77"], "story.urgency": 2, "story.versionCreated": "2026-03-02T07:15:00Z", "story.slugline": "mill-rye"}]),
    "NITF: subjects by number and by words": (nitf(COPY, head="<tobject tobject.type='News'><tobject.subject tobject.subject.refnum='04001002' tobject.subject.code='FIN' tobject.subject.type='Economy' tobject.subject.matter='Farming'/></tobject>"), [{"text": PLAIN, "story.subjects.uri+": [f"{SUBJECT_CODE}04001002"]}]),
    "NITF: the namespace of 2006": (nitf(COPY, root="<nitf xmlns='http://iptc.org/std/NITF/2006-10-18/' version='-//IPTC//DTD NITF 3.4//EN' change.date='October 18, 2006'>"), [{"headline": "Locks open again", "text": PLAIN}]),
    "NITF: a picture with caption and producer between paragraphs": (nitf(f"<p>{P1}</p><media media-type='image'><media-reference mime-type='image/jpeg' source='m.jpg'/><media-caption><p>The mill.</p></media-caption><media-producer>Per Lie</media-producer></media><p>{P2}</p>"), [{"text": PLAIN, "story.associations.0.type": "picture"}]),
    "NITF: a table of its own kind": (nitf(f"<p>{P1}</p><nitf-table><nitf-table-metadata><nitf-table-summary><p>Prices</p></nitf-table-summary></nitf-table-metadata><table><caption>Prices</caption><thead><tr><th>Grain</th><th>Crowns</th></tr></thead><tbody><tr><td>Rye</td><td>8</td></tr></tbody></table></nitf-table>"), [{"text+": [P1, "Grain\tCrowns\nRye\t8"]}]),
    "NITF: numbered and plain lists, rules and preformatted lines": (nitf("<p>First.</p><ol><li>Rye</li><li><p>Wheat</p></li></ol><hr/><pre>Lund   3\nCross  1</pre>"), [{"text+": ["First.", "Rye", "Wheat", "Lund   3\nCross  1"]}]),
    "NITF: a tagline and a note at the end": (f"<nitf><head/><body><body.head><hedline><hl1>Mill stops</hl1></hedline></body.head><body.content><p>{P1}</p></body.content><body.end><tagline>QNA el/pl</tagline><bibliography>Mills of the north, 1981</bibliography></body.end></body></nitf>", [{"headline": "Mill stops", "text+": [P1, "QNA el/pl"]}]),
    "NITF: a headline in two lines by a break": (nitf(COPY, top="<hedline><hl1>Mill of Tarnby<br/>stops</hl1><hl2>Sixty out of work</hl2></hedline>"), [{"headline": "Mill of Tarnby stops", "text+": P1}]),
    "NITF: a headline in capitals by a child": (nitf(COPY, top="<hedline><hl1 id='h'><em class='caps'>Mill</em> stops<!-- new --></hl1></hedline>"), [{"headline": "Mill stops"}]),
    "NITF: notes of the desk above the copy": (nitf(COPY, top="<note noteclass='editorsnote'><body.content><p>Eds: With picture.</p></body.content></note><hedline><hl1>Mill stops</hl1></hedline>"), [{"headline": "Mill stops", "text+": P1}]),
    "NITF: language by xml:lang and baselang": ("<nitf baselang='nb-no'><head><title>Mølla stanser</title></head><body><body.content><p>Mølla i Tarnby stanset mandag, sier eieren.</p></body.content></body></nitf>", [{"language.declared": "nb-NO", "headline": "Mølla stanser"}]),
    "NITF: a message to editors that withdraws": (nitf("<p>The story is withdrawn.</p>", head="<meta name='status' content='withdrawn'/>", data="<doc-id id-string='q9'/><ed-msg msg-type='withdraw' info='Withdrawn by QNA'/>"), [{"story.pubStatus": "canceled"}]),
    "NITF: copyright and rights are no text": (nitf(COPY, top="<hedline><hl1>Mill stops</hl1></hedline><rights>QNA <rights.owner>QNA</rights.owner></rights>", data="<doc.copyright year='2026' holder='QNA'/>"), [{"headline": "Mill stops", "text": PLAIN}]),
    "NITF: paragraphs with attributes, blanks and non-breaking blanks": (nitf(f"\n  <p lede='true' summary='true'>\n   {P1}\n  </p>\n  <p>&#160;</p>\n  <p>{P2}</p>\n"), [{"text": PLAIN}]),
    "NITF: blocks within blocks": (nitf(f"<block><datasource>QNA</datasource><p>{P1}</p><block style='box'><hl2>Figures</hl2><p>{P2}</p></block></block>"), [{"text+": [P1, "Figures", P2]}]),
    # NewsML-G2
    "G2: a slug line, a dateline and a note": (g2("<slugline>MILL-TARNBY</slugline><headline>Mill stops</headline><dateline>TARNBY, March 2</dateline><by>Eva Lind</by>", item="<itemClass qcode='ninat:text'/><edNote>With picture.</edNote><versionCreated>2026-03-02T08:15:00+01:00</versionCreated>"), [{"headline": "Mill stops", "story.slugline": "MILL-TARNBY", "story.by": "Eva Lind", "text+": P1, "story.versionCreated": "2026-03-02T07:15:00Z"}]),
    "G2: the language of the content": (g2("<language tag='de-CH'/><headline>Mühle steht</headline>", html("Die Mühle von Tarnby steht seit Montag.")), [{"language.declared": "de-CH", "headline": "Mühle steht"}]),
    "G2: subjects with names, relations and other schemes": (g2("<headline>Mill stops</headline><subject type='cpnat:abstract' qcode='medtop:20000345'><name>farming</name></subject><subject qcode='qna:MILL'><name xml:lang='en'>Mills</name></subject><subject literal='rye'/>"), [{"text": P1, "story.subjects.name+": ["Mills"], "story.subjects.literal+": ["rye"]}]),
    "G2: a text and its picture in one message": (f"<newsMessage {NAR}><header><sent>2026-03-02T07:15:00Z</sent></header><itemSet>{g2('<headline>Mill stops</headline>').partition('?>')[2]}<newsItem guid='urn:quay:p1' version='1'><itemMeta><itemClass qcode='ninat:picture'/></itemMeta><contentMeta><headline>The mill</headline><description role='drol:caption'>The mill on Monday.</description></contentMeta><contentSet><remoteContent href='m.jpg' contenttype='image/jpeg' rendition='rnd:highRes'/></contentSet></newsItem></itemSet></newsMessage>", [{"headline": "Mill stops", "text": P1, "story.associations.0.type": "picture"}]),
    "G2: plain text with blank lines": (g2("<headline>Mill stops</headline>", f"<inlineData contenttype='text/plain'>{P1}\n\n{P2}</inlineData>"), [{"text": PLAIN}]),
    "G2: a title where a headline is missing": (g2("<slugline>mill</slugline>", item="<itemClass qcode='ninat:text'/><title>Mill of Tarnby stops</title>"), [{"text": P1, "story.slugline": "mill"}]),
    "G2: cancelled by a status of its own prefix": (g2("<headline>Mill stops</headline>", item="<itemClass qcode='ninat:text'/><pubStatus qcode='pubstat:canceled'/>"), [{"story.pubStatus": "canceled"}]),
    "G2: pages with headings, tables and pictures": (g2("<headline>Mill stops</headline>", f"<inlineXML contenttype='application/xhtml+xml'><html xmlns='http://www.w3.org/1999/xhtml'><head><title/></head><body><section><h2>Work</h2><p>{P1}</p><table><tr><td>Rye</td><td>8</td></tr></table><img src='m.jpg' alt=''/></section></body></html></inlineXML>"), [{"text+": ["Work", P1, "Rye\t8"]}]),
    "G2: an embargo with its zone": (g2("<headline>Mill stops</headline>", item="<itemClass qcode='ninat:text'/><embargoed>2026-03-02T18:00:00+05:30</embargoed><pubStatus qcode='stat:withheld'/>"), [{"story.embargoedUntil": "2026-03-02T12:30:00Z", "story.pubStatus": "withheld"}]),
    "G2: a version of nine digits and a guid of a tag": (g2("<headline>Mill stops</headline>", version="202603021").replace("urn:quay:m1", "tag:q.example,2026:newsml_M1"), [{"story.uri": "tag:q.example,2026:newsml_M1", "story.version": "202603021"}]),
    # ninjs
    "ninjs 1: renditions and a picture": (orjson.dumps({"uri": "urn:n:1", **TEXT, "headline": "Mill stops", "body_html": COPY, "associations": {"featured": {"uri": "urn:n:p", "type": "picture", "renditions": {"main": {"href": "https://q.example/m.jpg", "mimetype": "image/jpeg"}}, "description_text": "The mill."}}}), [{"text": PLAIN, "story.associations.0.type": "picture"}]),
    "ninjs 1: xhtml over text, a note and usage": (orjson.dumps({"uri": "urn:n:1", **TEXT, "headline": "Mill <em>stops</em>", "body_xhtml": f"<div>{COPY}</div>", "body_text": PLAIN, "ednote": "With picture.", "usageterms": "No archive", "description_html": "<p>In short.</p>"}), [{"headline": "Mill stops", "text": PLAIN, "story.descriptions.value+": ["<p>In short.</p>"]}]),
    "ninjs 1: people, places and a first version": (orjson.dumps({"uri": "urn:n:1", **TEXT, "firstcreated": "2026-03-02T07:00:00Z", "headline": "Mill stops", "body_text": PLAIN, "person": [{"name": "Eva Lind"}], "place": [{"name": "Tarnby"}], "organisation": [{"name": "QNA", "symbols": [{"ticker": "QNA"}]}], "located": "Tarnby"}), [{"story.firstCreated": "2026-03-02T07:00:00Z", "story.located": "Tarnby", "text": PLAIN}]),
    "ninjs 1: a number for a version and a string for an urgency": (orjson.dumps({"uri": "urn:n:1", **TEXT, "version": 12, "urgency": "2", "headline": "Mill stops", "body_text": PLAIN}), [{"story.version": "12", "story.urgency": 2}]),
    "ninjs 2: text in several bodies": (orjson.dumps({"uri": "urn:n:1", "type": "text", "versioncreated": "2026-03-02T08:15:00Z", "headlines": [{"value": "Mill stops"}], "bodies": [{"contenttype": "text/html", "value": COPY}, {"contenttype": "text/plain", "value": PLAIN}], "descriptions": [{"role": "summary", "value": "In short."}]}), [{"headline": "Mill stops", "text": PLAIN, "story.descriptions.value+": ["In short."]}]),
    "ninjs 2: embargo, expiry and origins": (orjson.dumps({"uri": "urn:n:1", "type": "text", "versioncreated": "2026-03-02T08:15:00Z", "contentcreated": "2026-03-01T08:15:00Z", "embargoed": "2026-03-02T18:00:00+01:00", "expires": "2026-04-02T18:00:00Z", "pubstatus": "usable", "headlines": [{"role": "main", "value": "Mill stops"}], "bodies": [{"role": "main", "contenttype": "text/plain", "value": PLAIN}]}), [{"story.embargoedUntil": "2026-03-02T17:00:00Z", "story.pubStatus": "withheld"}]),
    "ninjs 3: names, altIds and a slug": (orjson.dumps({"uri": "urn:n:1", "standard": {"name": "ninjs", "version": "3.0", "schema": "https://x.example/s"}, "type": "text", "versionCreated": "2026-03-02T08:15:00+01:00", "slugline": "MILL", "by": "Eva Lind", "altIds": [{"role": "internal", "value": "77"}], "headlines": [{"role": "main", "value": "Mill stops", "contentType": "text/plain"}], "bodies": [{"role": "main", "contentType": "application/nitf+xml", "value": nitf(COPY, top="")}]}), [{"story.versionCreated": "2026-03-02T07:15:00Z", "story.slugline": "MILL", "story.by": "Eva Lind", "text": PLAIN, "story.altIds.value+": ["77"]}]),
    "ninjs 3: associations as a list": (orjson.dumps({"uri": "urn:n:1", "type": "text", "versionCreated": "2026-03-02T08:15:00Z", "headlines": [{"value": "Mill stops"}], "bodies": [{"contentType": "text/html", "value": COPY}], "associations": [{"name": "featured", "uri": "urn:n:p", "type": "picture", "renditions": [{"name": "main", "href": "https://q.example/m.jpg", "contentType": "image/jpeg"}]}]}), [{"text": PLAIN, "story.associations.0.uri": "urn:n:p"}]),
    "ninjs: an item wrapped in data": (orjson.dumps({"items": [{"uri": "urn:n:1", **TEXT, "headline": "Mill stops", "body_html": COPY, "pubstatus": "canceled"}]}), [{"story.pubStatus": "canceled", "story.uri": "urn:n:1"}]),
    "ninjs: lines with a blank one and a mark of byte order": (b"\xef\xbb\xbf" + orjson.dumps({"uri": "urn:n:1", **TEXT, "headline": "Mill stops", "body_text": P1}) + b"\n\n" + orjson.dumps({"uri": "urn:n:2", **TEXT, "headline": "Rye is dear", "body_text": P3}) + b"\n", [{"headline": "Mill stops"}, {"headline": "Rye is dear"}]),
    # ANPA 1312
    "ANPA: a header in capitals without selectors": (b"\x16\x16\x01A0422\x1f\r\nU I\x13\x11 BC-Mill Stops 03-02 0120\r\n\x02^BC-Mill Stops,0120<\r\n^Mill of Tarnby stops<\r\n\tTARNBY (QNA) _ The mill stopped.\r\n\x03\r\nQNA-03-02-26 1530GMT\r\n\x04", [{"headline": "Mill of Tarnby stops", "text+": "The mill stopped."}]),
    "ANPA: a service level and no synchronisation": (b"\x01s0042 \x1fq----\r\nr s \x14\x12 BC-ROW--Tarnby 03-02 0060\r\n\x02^BC-ROW--Tarnby,0060<\r\n^Tarnby wins by a length<\r\n^By PER LIE=<\r\n\tTARNBY (QNA) _ Tarnby won on Sunday.\r\n\x03\r\n\x04", [{"headline": "Tarnby wins by a length", "story.by+": "PER LIE"}]),
    "ANPA: a keyword without the date": (b"\x16\x16\x01a0423\x1fclnt-\r\nb i\x13\x11 PM-Mill Stops, Bulletin\r\n\x02^PM-Mill Stops, Bulletin,0020<\r\n^Mill of Tarnby stops<\r\n\tTARNBY (QNA) _ The mill stopped.\r\n\x03\r\n\x04", [{"headline": "Mill of Tarnby stops", "story.slugline+": "Mill Stops"}]),
    "ANPA: killed in the header alone": (anpa("BC-Mill Stops,KILL,0030", "^BC-Mill Stops,0030<\n^Mill of Tarnby stops<\n\tTARNBY (QNA) _ EDITORS: Kill this story. The mill runs.\n"), [{"story.pubStatus": "canceled"}]),
    "ANPA: a bulletin elimination": (anpa("BC-Mill Stops,Bulletin Elimination,0030", "^BC-Mill Stops, Bulletin Elimination,0030<\n^EDITORS:<\n^The QNA has eliminated the story slugged Mill Stops. A duplicate moved as a0400.<\n^The QNA<\n"), [{"story.pubStatus": "canceled"}]),
    "ANPA: withheld": (anpa("BC-Mill Stops,WITHHOLD,0030", "^BC-Mill Stops, WITHHOLD,0030<\n^EDITORS:<\n^Withhold BC-Mill Stops, a0421. The owner disputes it. A sub or kill will follow.<\n^The QNA<\n"), [{"headline-": "EDITORS", "story.pubStatus": "usable"}]),
    "ANPA: a sub for a paragraph": (anpa("BC-Mill Stops,SUB,0060", "^BC-Mill Stops, SUB,0060<\n^TARNBY: Sixty people, 4th graf, to CORRECT the number.<\n\tSixty-two people work there.\n"), [{"story.pubStatus": "usable", "text+": "Sixty-two people work there."}]),
    "ANPA: a headline with a note in brackets above": (anpa("BC-Mill Stops,0060", "^BC-Mill Stops,0060<\n^(AP) Photo Available<\n^Mill of Tarnby stops<\n^By EVA LIND<\n^QNA Writer<\n\tTARNBY (QNA) _ The mill stopped.\n"), [{"headline": "Mill of Tarnby stops", "story.by+": "EVA LIND"}]),
    "ANPA: typesetter's quads and dashes": (anpa("BC-Mill Stops,0060", "^BC-Mill Stops,0060<\n^Mill of Tarnby stops<\n\tTARNBY (QNA) _ The mill _ the last one _ stopped.\n\t``Rye is dear,'' she said.\n"), [{"headline": "Mill of Tarnby stops", "text+": "The mill _ the last one _ stopped."}]),
    "ANPA: ISO 8859-1 letters in the copy": (anpa("BC-Mill Stops,0060", "^BC-Mill Stops,0060<\n^Mill of Tårnby stops<\n\tTÅRNBY (QNA) _ The mill stopped.\n").encode("latin-1"), [{"headline": "Mill of Tårnby stops"}]),
    "ANPA: two messages, the first without its end": (anpa("BC-Mill Stops,0060", "^BC-Mill Stops,0060<\n^Mill of Tarnby stops<\n\tTARNBY (QNA) _ The mill stopped.\n").replace("\x04", "") + anpa("BC-Rye,0040", "^BC-Rye,0040<\n^Rye is dear<\n\tTARNBY (QNA) _ Rye costs 8 crowns.\n").replace("a0421", "a0422"), [{"headline": "Mill of Tarnby stops"}, {"headline": "Rye is dear"}]),
    "ANPA: a market table with leaders": (anpa("BC-Rye Table,0040", "^BC-Rye Table,0040<\n^Grain prices<\n\tRye........8.10\n\tWheat......9.05\n", category="f", format_="\x14\x12"), [{"headline": "Grain prices", "text+": ["8.10", "9.05"]}]),
    # IPTC 7901
    "IPTC 7901: two slug lines": (wire("qay0091 4 wi 120 qay 0901", "mill/owner/\r\n(new: owner)", "Mill of Tarnby stops =\n\n   Tarnby (qay) - The mill stopped on Monday.\n"), [{"headline": "Mill of Tarnby stops", "text+": "The mill stopped on Monday."}]),
    "IPTC 7901: a flash": (wire("qay0092 1 pl 9 qay 0902", "mill/", "Flash - Mill of Tarnby stops =\n"), [{"headline+": "Mill of Tarnby stops", "story.urgency": 1}]),
    "IPTC 7901: a withdrawal in German": (wire("qay0093 3 pl 30 qay 0903", "Zurückziehung/", "Bitte verwenden Sie die Meldung qay 0901 «Mühle von Tarnby steht» nicht. Sie ist zurückgezogen. =\n"), [{"story.pubStatus": "canceled"}]),
    "IPTC 7901: code page 850": (wire("qay0094 4 wi 40 qay 0904", "muehle/", "X =\n").replace(b"X =", "Mühle von Tårnby steht still =\r\n\r\n   Tårnby (qay) - Die Mühle steht seit Montag für längere Zeit.".encode("cp850")), [{"headline": "Mühle von Tårnby steht still"}]),
    "IPTC 7901: two messages with fill between": (wire("qay0095 4 wi 40 qay 0905", "mill/", "Mill stops =\n\n   Tarnby (qay) - The mill stopped on Monday.\n") + b"\x7f\x7f\r\n\r\n\r\n" + wire("qay0096 4 wi 40 qay 0906", "rye/", "Rye is dear =\n\n   Tarnby (qay) - Rye costs 8 crowns a kilo.\n"), [{"headline": "Mill stops"}, {"headline": "Rye is dear"}]),
    "IPTC 7901: no end of text": (wire("qay0097 4 wi 40 qay 0907", "mill/", "Mill stops =\n\n   Tarnby (qay) - The mill stopped on Monday.\n", end=""), [{"headline": "Mill stops", "text+": "The mill stopped on Monday."}]),
    "IPTC 7901: a byline under the headline": (wire("qay0098 4 ku 140 qay 0908", "mill/feature/", "The last miller =\nBy Eva Lind, qay =\n\n   Tarnby (qay) - The miller rises at four.\n   Then he grinds.\n"), [{"headline": "The last miller", "text+": "The miller rises at four."}]),
    # mail
    "mail: a page richer than its text": (mail("Subject: Mill stops\n" + MULTI.format("alternative"), parts("Content-Type: text/plain; charset=utf-8\n\nYour reader shows no HTML.", f"Content-Type: text/html; charset=utf-8\n\n<html><body>{COPY}</body></html>")), [{"headline": "Mill stops", "text": PLAIN}]),
    "mail: related pictures in the page": (mail("Subject: Mill stops\n" + MULTI.format("related"), parts(f"Content-Type: text/html; charset=utf-8\n\n<html><body>{COPY}<img src='cid:a'></body></html>", "Content-Type: image/png\nContent-ID: <a>\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=")), [{"headline": "Mill stops", "text": PLAIN}]),
    "mail: a message attached": (mail("Subject: Fwd: Mill stops\n" + MULTI.format("mixed"), parts("Content-Type: text/plain\n\nPlease run.", f"Content-Type: message/rfc822\n\nFrom: eva@q.example\nSubject: Mill stops\nContent-Type: text/plain; charset=utf-8\n\n{PLAIN}\n")), [{"headline": "Mill stops", "text+": P1}]),
    "mail: KOI8-R in base64 and encoded words in two lines": (mail(f"Subject: =?koi8-r?B?{base64.b64encode('Мельница Тарнби '.encode('koi8-r')).decode()}?=\n =?koi8-r?B?{base64.b64encode('стоит'.encode('koi8-r')).decode()}?=\nMIME-Version: 1.0\nContent-Type: text/plain; charset=koi8-r\nContent-Transfer-Encoding: base64", base64.b64encode("Мельница Тарнби стоит с понедельника, сказала хозяйка.\n".encode("koi8-r")).decode()), [{"headline": "Мельница Тарнби стоит", "text": "Мельница Тарнби стоит с понедельника, сказала хозяйка."}]),
    "mail: an invitation beside the copy": (mail("Subject: Mill stops\n" + MULTI.format("mixed"), parts(f"Content-Type: text/plain; charset=utf-8\n\n{PLAIN}", "Content-Type: text/calendar\n\nBEGIN:VCALENDAR\nEND:VCALENDAR")), [{"headline": "Mill stops", "text": PLAIN}]),
    "mail: the footer of a list": (mail("Subject: [desk] Mill stops\nList-Id: <desk.q.example>", f"{PLAIN}\n_______________________________________________\ndesk mailing list\ndesk@q.example\n"), [{"headline+": "Mill stops", "text+": [P1, P2]}]),
    "mail: a page of tables": (mail("Subject: Mill stops\nMIME-Version: 1.0\nContent-Type: text/html; charset=utf-8", f"<html><body><table width='600'><tr><td><p>{P1}</p><p>{P2}</p></td></tr></table></body></html>"), [{"headline": "Mill stops", "text": PLAIN}]),
    "mail: letters of eight bits without a charset": (mail("Subject: Mühle steht", "Die Mühle von Tårnby steht seit Montag, sagte die Besitzerin.\n"), [{"headline": "Mühle steht", "text": "Die Mühle von Tårnby steht seit Montag, sagte die Besitzerin."}]),
    # dispatches
    "dispatches with numbers behind ZCZC": (f"ZCZC QNA041\n\nMill stops\n\nTARNBY, March 2 (QNA) - {P1}\n\nNNNN\nZCZC QNA042\n\nRye is dear\n\nTARNBY, March 2 (QNA) - Rye costs 8 crowns.\n\nNNNN\n", [{"headline": "Mill stops"}, {"headline": "Rye is dear"}]),
    "a dispatch in UTF-16": (b"\xff\xfe" + f"Mill stops\n\nTARNBY, March 2 (QNA) - {P1}\n".encode("utf-16-le"), [{"headline": "Mill stops", "text+": P1}]),
    "a dispatch of Windows in German": ("Mühle steht\r\n\r\nTårnby, 2. März (QNA) - Die Mühle steht seit Montag – „für länger“, sagte Eva Lind.\r\n".encode("cp1252"), [{"headline": "Mühle steht", "text+": "„für länger“"}]),
}  # fmt: skip


@pytest.mark.parametrize("half", "AB")
def test_each_kind_of_wire_document_is_read(half: str) -> None:
    assert find_faults(half_of(CASES, half)) == {}
