"""Kinds of structure that agencies send in NewsML 1.2, ANPA 1312, NITF and IPTC 7901: each an invented document.

All of them were written, with what is right, before the program ran on them. A key names a member of the event by its
path; ``+`` behind it asks for a part of the value, ``-`` for its absence.
"""

from __future__ import annotations

import pytest

from tests.processors.normalise.documents import (
    LANGUAGE,
    Expected,
    anpa,
    differences,
    newsml,
    nitf,
    nitf_content,
    part,
    print_score,
    wire,
)

LONG = (
    "<p>The lock keepers of Quellheim went back to work on Friday after nine days, said the port's spokeswoman Ida Brandt.</p>"
    "<p>Forty barges had waited below the weir, some of them with fruit that has spoilt by now.</p>"
)
LONG_TEXT = (
    "The lock keepers of Quellheim went back to work on Friday after nine days, said the port's spokeswoman Ida Brandt.\n\n"
    "Forty barges had waited below the weir, some of them with fruit that has spoilt by now."
)


NEWSML: dict[str, tuple[str, list[Expected]]] = {
    "alert with initials under it": (
        newsml(
            f"<NewsComponent><NewsLines><HeadLine/></NewsLines>{LANGUAGE}"
            + nitf_content("<p>Lock keepers of Quellheim end strike: port</p><p>ibr/hel</p>") + "</NewsComponent>",
            management="<NewsItemType FormalName='Alert'/><Status FormalName='Usable'/><Urgency FormalName='2'/>",
        ),
        [{"headline": "Lock keepers of Quellheim end strike: port", "text": "Lock keepers of Quellheim end strike: port\n\nibr/hel", "story.urgency": 2}],
    ),
    "alert with its dateline in a line of its own": (
        newsml(
            "<NewsComponent><NewsLines><DateLine>Quellheim, Jan 9, 2026 (QNA) -</DateLine><HeadLine/><SlugLine>ALERT</SlugLine></NewsLines>"
            + LANGUAGE + nitf_content("<p>Lock keepers of Quellheim end strike: port</p><p>ibr/hel</p>") + "</NewsComponent>",
            management="<NewsItemType FormalName='Alert'/><Status FormalName='Usable'/><Urgency FormalName='1'/>",
        ),
        [{"headline": "Lock keepers of Quellheim end strike: port", "story.slugline": "ALERT", "text+": "Quellheim, Jan 9, 2026 (QNA) - Lock keepers"}],
    ),
    "urgent of two paragraphs without a headline": (
        newsml(
            "<NewsComponent><NewsLines><DateLine>Quellheim, Jan 9, 2026 (QNA) -</DateLine><HeadLine/><SlugLine>strike-lock</SlugLine></NewsLines>"
            + LANGUAGE
            + nitf_content("<p>Lock keepers of Quellheim have ended their strike, the port said Friday.</p><p>Forty barges are waiting below the weir.</p>")
            + "</NewsComponent>",
            management="<NewsItemType FormalName='Urgent'/><Status FormalName='Usable'/><Urgency FormalName='3'/>",
        ),
        [{"headline": "Lock keepers of Quellheim have ended their strike, the port said Friday"}],
    ),
    "two languages, title, lead and body as parts": (
        newsml(
            "<NewsComponent Duid='1' xml:lang='nl'><NewsLines><HeadLine>Ochtendoverzicht 9/1</HeadLine></NewsLines>"
            "<NewsComponent Duid='11' xml:lang='nl'><Role FormalName='Short'/><NewsLines><HeadLine>Ochtendoverzicht 9/1</HeadLine>"
            "<KeywordLine>PERS</KeywordLine><KeywordLine>HAVEN</KeywordLine></NewsLines>"
            + part("Title", "Ochtendoverzicht 9/1") + part("Lead", "De sluiswachters werken weer.")
            + part("Body", "Veertig schepen lagen negen dagen stil onder de stuw, zei de havenwoordvoerster vrijdag.") + "</NewsComponent>"
            "<NewsComponent Duid='12' xml:lang='fr'><Role FormalName='Short'/><NewsLines><HeadLine>Ochtendoverzicht 9/1</HeadLine></NewsLines>"
            + part("Title", "Ochtendoverzicht 9/1") + "<NewsComponent><Role FormalName='Lead'/><ContentItem><DataContent/></ContentItem></NewsComponent>"
            + part("Body", "Les éclusiers ont repris le travail vendredi, après neuf jours de grève, selon le port de Quellheim.")
            + "</NewsComponent></NewsComponent>",
            identifier="<ProviderId>quay.example</ProviderId><DateId>20260109T092656</DateId><NewsItemId>98055798</NewsItemId>"
            "<RevisionId PreviousRevision='0' Update='N'>4</RevisionId><PublicIdentifier>urn:newsml:www.quay.example</PublicIdentifier>",
            management="<NewsItemType FormalName='NEWS'/><ThisRevisionCreated>20260109T102656</ThisRevisionCreated><Status FormalName='USABLE'/>",
        ),
        [
            {
                "headline": "Ochtendoverzicht 9/1", "language.tag": "nl", "story.uri+": "98055798", "story.version": "4",
                "text": "De sluiswachters werken weer.\n\nVeertig schepen lagen negen dagen stil onder de stuw, zei de havenwoordvoerster vrijdag.",
                "story.subjects.name": ["PERS", "HAVEN"],
            },
            {
                "headline": "Ochtendoverzicht 9/1", "language.tag": "fr", "story.uri+": "98055798",
                "text": "Les éclusiers ont repris le travail vendredi, après neuf jours de grève, selon le port de Quellheim.",
            },
        ],
    ),
    "a title without a body is no text": (
        newsml(
            "<NewsComponent><NewsLines><HeadLine>No headline</HeadLine></NewsLines>"
            "<NewsComponent xml:lang='nl'><Role FormalName='Quote'/><NewsLines><HeadLine>17 QUOTE SLUIS</HeadLine></NewsLines>"
            + part("Title", "17 QUOTE SLUIS") + "<NewsComponent><Role FormalName='Body'/><ContentItem><DataContent/></ContentItem></NewsComponent>"
            "<NewsComponent><Role FormalName='Sound'/><ContentItem Href='quote.mp3'><Format FormalName='Mpeg3'/><MimeType FormalName='audio/mpeg3'/></ContentItem></NewsComponent>"
            "</NewsComponent>"
            "<NewsComponent xml:lang='nl'><Role FormalName='Audio'/><NewsLines><HeadLine>Quay 18:00</HeadLine></NewsLines>"
            + part("Title", "Quay 18:00") + part("Body", "De sluiswachters van Quellheim werken weer, meldt de haven.")
            + "<NewsComponent><Role FormalName='Sound'/><ContentItem Href='news.mp3'><Format FormalName='Mpeg3'/><MimeType FormalName='audio/mpeg3'/></ContentItem></NewsComponent>"
            "</NewsComponent></NewsComponent>"
        ),
        [{"headline": "Quay 18:00", "text": "De sluiswachters van Quellheim werken weer, meldt de haven.", "story.associations.type+": "audio"}],
    ),
    "a headline and no text is an event": (
        newsml(
            "<NewsComponent><NewsLines><HeadLine>Fire in a warehouse at Quellheim</HeadLine></NewsLines>"
            + "<NewsComponent><Role FormalName='Tip'/>" + part("Title", "Fire in a warehouse at Quellheim")
            + "<NewsComponent><Role FormalName='Body'/><ContentItem><DataContent/></ContentItem></NewsComponent></NewsComponent></NewsComponent>"
        ),
        [{"headline": "Fire in a warehouse at Quellheim", "text": ""}],
    ),
    "urgency and language in odd places": (
        newsml(
            "<NewsComponent><NewsLines><CopyrightLine>(c) Quay 2026</CopyrightLine></NewsLines><NewsComponent><Author/>"
            "<NewsComponent xml:lang='en'><Role FormalName='Main'/><NewsLines><DateLine>January 9</DateLine><HeadLine>Locks of Quellheim open again</HeadLine><SlugLine>URGENT</SlugLine></NewsLines>"
            "<DescriptiveMetada><Language FormalName='en'/></DescriptiveMetada>"
            + nitf_content("<p>QUELLHEIM, January 9. /QUAY/. The locks are open again.</p><p>Forty barges passed.</p>", "ComplexData",
                           "<body.head><hedline><hl1>Locks of Quellheim open again</hl1></hedline></body.head>")
            + "</NewsComponent></NewsComponent></NewsComponent>",
            identifier="<ProviderId>\nwww.quay.example\n</ProviderId>",
            management="<ThisRevisionCreated>20260109T102708</ThisRevisionCreated><Status FormalName='Usable'/><Urgency>2</Urgency>",
        ),
        [{
            "headline": "Locks of Quellheim open again", "story.urgency": 2, "language.declared": "en", "story.slugline": "URGENT",
            "text": "QUELLHEIM, January 9. /QUAY/. The locks are open again.\n\nForty barges passed.", "story.versionCreated": "2026-01-09T10:27:08Z",
        }],
    ),
    "the dateline told three times": (
        newsml(
            f"<NewsComponent xml:lang='en-US'><Role FormalName='Main'/><NewsLines><HeadLine>Locks open again</HeadLine><DateLine>QUELLHEIM, Jan. 9</DateLine><CreditLine>Quay</CreditLine></NewsLines>{LANGUAGE}"
            + nitf_content("<p>     The locks of Quellheim are open again after nine days.</p><p>==Quay</p>", "Text",
                           "<body.head><hedline><hl1>Locks open again</hl1></hedline><dateline><location>QUELLHEIM</location><story.date>Jan. 9</story.date></dateline></body.head>")
            + "</NewsComponent>"
        ),
        [{"headline": "Locks open again", "text": "QUELLHEIM, Jan. 9 - The locks of Quellheim are open again after nine days.\n\n==Quay"}],
    ),
    "main text behind caption and summary": (
        newsml(
            f"<NewsComponent>{LANGUAGE}<NewsLines><HeadLine>Locks open again</HeadLine></NewsLines>"
            + part("Caption", "Barges below the weir of Quellheim on Thursday.", "Barges wait")
            + part("Summary", "The strike of the lock keepers is over.", "In brief")
            + "<NewsComponent><Role FormalName='Main'/><NewsLines><HeadLine>Locks of Quellheim open again</HeadLine></NewsLines>" + nitf_content(LONG) + "</NewsComponent></NewsComponent>"
        ),
        [{"headline": "Locks of Quellheim open again", "text": LONG_TEXT, "story.descriptions.value+": ["The strike of the lock keepers is over."]}],
    ),
    "main text behind a script": (
        newsml(
            f"<NewsComponent>{LANGUAGE}<NewsLines><HeadLine>Locks open again</HeadLine></NewsLines>"
            + part("Script", "SHOTLIST 1. Wide of weir 2. Barge enters lock", "Quellheim video")
            + "<NewsComponent><Role FormalName='Main'/>" + nitf_content(LONG) + "</NewsComponent></NewsComponent>"
        ),
        [{"headline": "Locks open again", "text": LONG_TEXT}],
    ),
    "six components deep, with prefixes and CDATA": (
        newsml(
            f"<NewsComponent>{LANGUAGE}<NewsLines><HeadLine>Locks open again</HeadLine></NewsLines>"
            "<NewsComponent><NewsComponent><NewsComponent><NewsComponent><NewsComponent><ContentItem><MediaType FormalName='Text'/><DataContent>"
            f"<n:nitf xmlns:n='http://iptc.org/std/NITF/2006-10-18/'><n:body><n:body.content>{LONG.replace('<p>', '<n:p>').replace('</p>', '</n:p>')}</n:body.content></n:body></n:nitf>"
            "</DataContent></ContentItem></NewsComponent></NewsComponent></NewsComponent></NewsComponent></NewsComponent></NewsComponent>"
        ),
        [{"headline": "Locks open again", "text": LONG_TEXT, "story.uri": "urn:newsml:quay.example:20260109T092656Z:TX-QY-7"}],
    ),
    "escaped NITF in DataContent": (
        newsml(
            f"<NewsComponent>{LANGUAGE}<NewsLines><HeadLine>Locks open again</HeadLine></NewsLines><ContentItem><MediaType FormalName='Text'/><DataContent>"
            f'<![CDATA[<?xml version="1.0"?><nitf><head><title>Locks open again</title></head><body><body.content>{LONG}</body.content></body></nitf>]]></DataContent></ContentItem></NewsComponent>'
        ),
        [{"headline": "Locks open again", "text": LONG_TEXT}],
    ),
    "base64 in an encoding": (
        newsml(
            f"<NewsComponent>{LANGUAGE}<NewsLines><HeadLine>Locks open again</HeadLine></NewsLines><ContentItem><MediaType FormalName='Text'/>"
            "<Encoding Notation='base64'><DataContent>VGhlIGxvY2tzIG9mIFF1ZWxsaGVpbSBhcmUgb3BlbiBhZ2Fpbi4=</DataContent></Encoding></ContentItem></NewsComponent>"
        ),
        [{"headline": "Locks open again", "text": "The locks of Quellheim are open again."}],
    ),
    "parents of subject codes stay": (
        newsml(
            "<NewsComponent><NewsLines><HeadLine>Locks open again</HeadLine></NewsLines><DescriptiveMetadata><Language FormalName='EN'/>"
            "<SubjectCode><Subject FormalName='04000000'/><SubjectMatter FormalName='04015000'/><SubjectDetail FormalName='04015001'/></SubjectCode>"
            "<SubjectCode><Subject FormalName='09000000'/></SubjectCode><SubjectCode><Subject FormalName=''/></SubjectCode>"
            "<Property FormalName='Keyword' Value='strike'/><Property FormalName='Keyword' Value='lock'/></DescriptiveMetadata>"
            + nitf_content(LONG) + "</NewsComponent>"
        ),
        [{
            "story.subjects.uri+": [f"http://cv.iptc.org/newscodes/subjectcode/{code}" for code in ("04000000", "04015000", "04015001", "09000000")],
            "story.subjects.name+": ["strike", "lock"], "text": LONG_TEXT, "language.tag": "en",
        }],
    ),
    "deleted item without components": (
        newsml("", management="<NewsItemType FormalName='News'/><ThisRevisionCreated>20260109T102656Z</ThisRevisionCreated><Status FormalName='Canceled'/>"),
        [{"story.pubStatus": "canceled", "story.uri": "urn:newsml:quay.example:20260109T092656Z:TX-QY-7"}],
    ),
    "picture with a caption": (
        newsml(
            f"<NewsComponent>{LANGUAGE}<NewsLines><HeadLine>Weir of Quellheim</HeadLine><ByLine>MIRA HOLT</ByLine></NewsLines>"
            "<NewsComponent><Role FormalName='Main'/><ContentItem Href='weir.jpg'><MediaType FormalName='Photo'/><Characteristics><Property FormalName='Width' Value='1200'/></Characteristics></ContentItem></NewsComponent>"
            + part("Caption", "Barges below the weir of Quellheim, January 8, 2026.") + "</NewsComponent>"
        ),
        [{"headline": "Weir of Quellheim", "text": "Barges below the weir of Quellheim, January 8, 2026.", "story.type": "picture", "story.by": "MIRA HOLT"}],
    ),
    "video with a script": (
        newsml(
            f"<NewsComponent>{LANGUAGE}<NewsLines><HeadLine>Locks open again</HeadLine></NewsLines>"
            "<NewsComponent><Role FormalName='Main'/><ContentItem Href='locks.mp4'><MediaType FormalName='Video'/></ContentItem></NewsComponent>"
            + part("Script", "Barges enter the lock of Quellheim after nine days of strike.") + "</NewsComponent>"
        ),
        [{"headline": "Locks open again", "text": "Barges enter the lock of Quellheim after nine days of strike."}],
    ),
    "paragraphs straight in DataContent, breaks and entities": (
        newsml(
            f"<NewsComponent>{LANGUAGE}<NewsLines><HeadLine>Locks &amp; weirs</HeadLine></NewsLines><ContentItem><MediaType FormalName='Text'/>"
            "<DataContent><p>Locks &#38; weirs are open.<br/>Barges pass.</p><p>More follows.</p></DataContent></ContentItem></NewsComponent>"
        ),
        [{"headline": "Locks & weirs", "text": "Locks & weirs are open.\nBarges pass.\n\nMore follows."}],
    ),
    "two items in one envelope": (
        newsml(
            f"<NewsComponent>{LANGUAGE}<NewsLines><HeadLine>Locks open again</HeadLine></NewsLines>" + nitf_content(LONG) + "</NewsComponent></NewsItem>"
            "<NewsItem><Identification><NewsIdentifier><ProviderId>quay.example</ProviderId><DateId>20260109</DateId><NewsItemId>TX-QY-8</NewsItemId>"
            "<RevisionId PreviousRevision='2' Update='N'>3</RevisionId></NewsIdentifier></Identification><NewsManagement><Status FormalName='Usable'/></NewsManagement>"
            f"<NewsComponent>{LANGUAGE}<NewsLines><HeadLine>Weir inspected</HeadLine><ByLine>By Ada Quill</ByLine></NewsLines>" + nitf_content("<p>The weir was inspected on Friday.</p>") + "</NewsComponent>"
        ),
        [
            {"headline": "Locks open again"},
            {"headline": "Weir inspected", "story.uri": "urn:newsml:quay.example:20260109:TX-QY-8", "story.version": "3", "story.by": "Ada Quill"},
        ],
    ),
    "embargo without an end": (
        newsml(
            f"<NewsComponent>{LANGUAGE}<NewsLines><HeadLine>Locks open again</HeadLine></NewsLines>" + nitf_content(LONG) + "</NewsComponent>",
            management="<Status FormalName='Embargoed'/>",
        ),
        [{"story.pubStatus": "withheld"}],
    ),
}  # fmt: skip


ANPA: dict[str, tuple[str, list[Expected]]] = {
    "table with line and space codes": (
        anpa(
            "BC-ROW--Quay League,0077",
            "^BC-ROW--Quay League,0077<\n^Quay League standings<\n\bCrew\x10\x10W\x10L\x10Pct<\n\bQuellheim\x10\x108\x102\x10.800<\n\bPort Alder\x10\x105\x105\x10.500<\n",
            category="q", format_="\x14\x12",
        ),
        [{"headline": "Quay League standings", "text+": ["Quellheim  8 2 .800", "Port Alder  5 5 .500", "Crew  W L Pct"], "text-": "Quellheim8"}],
    ),
    "column codes never glue words": (
        anpa("BC-Fares,0031", "^BC-Fares,0031<\n^Ferry fares<\n\tAdults\x1e4.50\x1fChildren\x1d2.25<\n\tNo fares on Sunday.<\n", format_="\x14\x12"),
        [{"headline": "Ferry fares", "text-": "Adults4.50", "text+": ["4.50 Children"]}],
    ),
    "flash without a headline": (
        anpa("BC-APNewsAlert,0015", "\tQUELLHEIM (QNA) _ Port of Quellheim says lock keepers end their strike.\n", priority="f"),
        [{"headline": "Port of Quellheim says lock keepers end their strike", "story.urgency": 1}],
    ),
    "bulletin with its slug line only": (
        anpa("BC-NewsAlert,0015", "^BC-NewsAlert,0015<\n\tQUELLHEIM (QNA) _ Port of Quellheim says lock keepers end their strike.\n", priority="b"),
        [{"headline": "Port of Quellheim says lock keepers end their strike", "story.urgency": 2}],
    ),
    "editors' notes above the headline": (
        anpa(
            "BC-Lock Strike,2nd Ld-Writethru,0210",
            "^BC-Lock Strike, 2nd Ld-Writethru,0210<\n^Eds: UPDATES with barges moving. ADDS photo links.<\n^Lock keepers end strike after nine days<\n^By IDA BRANDT<\n^Quay News Writer<\n"
            "\tQUELLHEIM (QNA) _ Lock keepers went back to work on Friday.\n\tForty barges had waited.\n",
        ),
        [{"headline": "Lock keepers end strike after nine days", "story.by": "IDA BRANDT", "story.slugline+": "Lock"}],
    ),
    "editor's note with an underscore": (
        anpa(
            "AM-Lock Strike,Bjt,0210",
            "^AM-Lock Strike, Bjt,0210<\n^Lock keepers end strike<\n^EDITOR'S NOTE _ The weir is 200 years old.<\n^By IDA BRANDT=<\n\tQUELLHEIM (QNA) _ Lock keepers went back to work on Friday.\n\tForty barges had waited.\n",
        ),
        [{"headline": "Lock keepers end strike", "story.by": "IDA BRANDT", "story.edNote+": "The weir is 200 years old"}],
    ),
    "headline on two lines": (
        anpa(
            "BC-Lock Strike,0210",
            "^BC-Lock Strike,0210<\n^Lock keepers of Quellheim end their strike after nine days\nas forty barges wait below the weir<\n^By IDA BRANDT<\n\tQUELLHEIM (QNA) _ Lock keepers went back to work on Friday.\n",
        ),
        [{"headline": "Lock keepers of Quellheim end their strike after nine days as forty barges wait below the weir", "story.by": "IDA BRANDT"}],
    ),
    "sports with a service code": (
        anpa(
            "BC-FBN--Gulls-Otters,0210",
            "^BC-FBN--Gulls-Otters,0210<\n^Gulls beat Otters 21-14<\n\tPORT ALDER, Maine (QNA) _ The Gulls beat the Otters 21-14 on Sunday.\n",
            category="s", priority="d",
        ),
        [{"headline": "Gulls beat Otters 21-14", "story.urgency": 5, "story.subjects.name+": ["sports"]}],
    ),
    "a headline that begins as the slug does": (
        anpa(
            "BC-Lock-Strike,0210",
            "^BC-Lock-Strike,0210<\n^Lock strike of Quellheim is over<\n\tQUELLHEIM (QNA) _ Lock keepers went back to work on Friday.\n",
        ),
        [{"headline": "Lock strike of Quellheim is over"}],
    ),
    "two messages, the second without a date": (
        anpa("BC-Lock Strike,0210", "^BC-Lock Strike,0210<\n^Locks open again<\n\tQUELLHEIM (QNA) _ Lock keepers went back to work.\n")
        + anpa("BC-Weir,0110", "^BC-Weir,0110<\n^Weir inspected<\n\tQUELLHEIM (QNA) _ The weir was inspected.\n", trailer=""),
        [{"headline": "Locks open again", "story.versionCreated": "2026-01-09T15:30:00Z"}, {"headline": "Weir inspected"}],
    ),
    "a zone of the east coast": (
        anpa("BC-Weir,0110", "^BC-Weir,0110<\n^Weir inspected<\n\tQUELLHEIM (QNA) _ The weir was inspected.\n", trailer="QNA-QH-07-09-26 1402EDT"),
        [{"story.versionCreated": "2026-07-09T18:02:00Z"}],
    ),
    "text in flush lines alone": (
        anpa(
            "BC-QNA Budget,0110",
            "^BC-QNA Budget,0110<\n^QNA news digest at 6 p.m.<\n^LOCK-STRIKE: Lock keepers went back to work. 600 words by 8 p.m.<\n^WEIR: The weir was inspected. 300 words.<\n",
        ),
        [{"headline": "QNA news digest at 6 p.m.", "text+": ["LOCK-STRIKE: Lock keepers went back to work. 600 words by 8 p.m.", "WEIR: The weir was inspected."]}],
    ),
    "headline with a byline directly above the copy": (
        anpa(
            "BC-Weir,0110",
            "^BC-Weir,0110<\n^Weir of Quellheim passes inspection<\n^Eds: With photos.<\n^By ADA QUILL and OLE STRAND<\n^Quay News Writers<\n\tQUELLHEIM (QNA) _ The weir was inspected.\n",
        ),
        [{"headline": "Weir of Quellheim passes inspection", "story.by": "ADA QUILL and OLE STRAND", "story.edNote+": "With photos"}],
    ),
}  # fmt: skip


NITF: dict[str, tuple[str, list[Expected]]] = {
    "comments and blanks in every element": (
        nitf(
            "<!-- language --><lang lang='it'/><block><!-- photo --><img source='weir.jpg'/><p>\n  <!-- Text -->\n   (QNA) - QUELLHEIM, JAN 9 - The locks\n   are open again.\n  </p></block>",
            head="<title><!-- Page title -->\n Locks open again\n</title><meta name='priority' content='R'/>",
            top="<hedline><hl1>\n<!-- Title -->\n Locks open again\n</hl1></hedline><dateline><location><!-- place -->\n QUELLHEIM\n</location></dateline>",
            data="<doc-id id-string='XAM22_X083'/><date.issue norm='2026-01-09 18:33'/><date.release norm='2026-01-09 18:33'/>",
        ),
        [{"headline": "Locks open again", "text": "(QNA) - QUELLHEIM, JAN 9 - The locks are open again.", "story.versionCreated": "2026-01-09T18:33:00Z", "story.altIds.value+": ["XAM22_X083"]}],
    ),
    "what ANPA says, as meta elements": (
        nitf(
            LONG,
            head="<meta name='anpa-keyword' content='BC-Lock Strike'/><meta name='anpa-sequence' content='0421'/><meta name='anpa-category' content='i'/><meta name='anpa-wordcount' content='210'/>",
            data="<doc-id regsrc='QNA' id-string='urn:qna:1'/><date.issue norm='20260109T092656Z'/><urgency ed-urg='4'/>",
        ),
        [{"headline": "Locks open again", "text": LONG_TEXT, "story.slugline": "BC-Lock Strike", "story.urgency": 4, "story.uri": "urn:qna:1"}],
    ),
    "no headline but a title": (
        nitf("<p>The locks are open again, said the port. It did so on Friday.</p>", head="<title>1 PORT Locks</title>", top="", data="<doc-id id-string='HHH1'/>"),
        [{"headline": "1 PORT Locks"}],
    ),
    "byline with a person and a title": (
        nitf(LONG, top="<hedline><hl1>Locks open again</hl1></hedline><byline>By <person>Ida Brandt</person><byttl>Quay News</byttl></byline>"),
        [{"story.by": "Ida Brandt"}],
    ),
    "dateline of location and date": (
        nitf(
            "<p>The locks are open again.</p>",
            top="<hedline><hl1>Locks open again</hl1><hl2>Barges move after nine days</hl2></hedline><dateline><location>QUELLHEIM</location>, <story.date norm='20260109T000000Z'>January 9, 2026</story.date></dateline>",
        ),
        [{"text+": "The locks are open again.", "story.located": "QUELLHEIM", "story.headlines.value+": ["Barges move after nine days"]}],
    ),
    "table with blocks and headings": (
        nitf(
            "<block><p class='lead' lede='true'>All times CET</p></block><block><hl2>EASTERN LEAGUE</hl2></block><block><hl2>Harbour Division</hl2><table><thead><tr><th/><th>W</th><th>L</th></tr></thead>"
            "<tbody><tr><td>Quellheim</td><td>8</td><td>2</td></tr><tr><td>Port Alder</td><td>5</td><td>5</td></tr></tbody></table></block>",
            top="<hedline><hl1 id='headline'>Rowing glance</hl1></hedline><distributor>Quay News</distributor>", data="<doc-id regsrc='QNA'/>",
        ),
        [{"headline": "Rowing glance", "text+": ["All times CET", "EASTERN LEAGUE", "Harbour Division", "Quellheim"], "text-": "Quellheim8"}],
    ),
    "inline elements leave no blanks": (
        nitf("<p><location>QUELLHEIM</location> (QNA) _ <person>Ida Brandt</person>, <org>Quay Port</org>'s spokeswoman, said <chron norm='20260109'>Friday</chron> that <num>40</num> barges had paid <money unit='EUR'>900</money>.</p>"),
        [{"text": "QUELLHEIM (QNA) _ Ida Brandt, Quay Port's spokeswoman, said Friday that 40 barges had paid 900."}],
    ),
    "namespaced root and default language": (
        nitf(LONG, root="<nitf xmlns='http://iptc.org/std/NITF/2006-10-18/' baselang='en-GB' version='-//IPTC//DTD NITF 3.6//EN'>", data="<du-key key='lock-strike' version='04'/>"),
        [{"headline": "Locks open again", "language.declared": "en-GB", "story.version": "04", "text": LONG_TEXT}],
    ),
    "publication data inside of the document data": (
        nitf(
            LONG,
            head="<tobject tobject.type='Nyheter'><tobject.property tobject.property.type='Resultater'/><tobject.subject tobject.subject.refnum='15000000' tobject.subject.type='Sport'/><tobject.subject tobject.subject.refnum='15054000' tobject.subject.matter='Fotball'/></tobject>",
            data="<doc-id regsrc='quay.example' id-string='20260109:QAY:8883:0'/><urgency ed-urg='3'/><date.issue norm='2026-01-09T00:05:13+02:00'/><ed-msg info=''/><key-list/><pubdata date.publication='2026-01-09T00:05:13+02:00'/><evloc state-prov='Norden' county-dist='Sverige'/>",
        ),
        [{
            "story.versionCreated": "2026-01-08T22:05:13Z", "story.urgency": 3, "story.places.name+": ["Sverige, Norden"], "story.genres.name+": ["Nyheter", "Resultater"],
            "story.subjects.uri+": ["http://cv.iptc.org/newscodes/subjectcode/15000000", "http://cv.iptc.org/newscodes/subjectcode/15054000"], "story.edNote": None,
        }],
    ),
    "editors' message and embargo": (
        nitf(LONG, data="<ed-msg info='Embargoed to 0001 Saturday January 10'/>", head="", root="<nitf>").replace("<docdata>", "<docdata management-status='embargoed'>"),
        [{"story.pubStatus": "withheld", "story.edNote+": "Embargoed to 0001"}],
    ),
    "alert with initials": (
        nitf("<p>QUELLHEIM (QNA) _ Lock keepers of Quellheim end strike.</p><p>ibr/hel</p>", top=""),
        [{"headline": "Lock keepers of Quellheim end strike"}],
    ),
    "media with a long caption before the text": (
        nitf(
            "<media media-type='image'><media-reference source='weir.jpg'/><media-caption>" + "Barges wait below the weir of Quellheim on Thursday. " * 12 + "</media-caption><media-producer>Mira Holt</media-producer></media>" + LONG
        ),
        [{"text": LONG_TEXT, "story.associations.0.type": "picture"}],
    ),
    "headline elements with markup": (
        nitf(LONG, top="<hedline><hl1><lang>Locks <em class='b'>open</em><br/>again</lang></hl1></hedline>"),
        [{"headline": "Locks open again"}],
    ),
    "abstract that the body repeats": (
        nitf(LONG, top="<hedline><hl1>Locks open again</hl1></hedline><abstract><p>The lock keepers of Quellheim went back to work on Friday.</p></abstract>"),
        [{"text": LONG_TEXT, "story.descriptions.value+": ["The lock keepers of Quellheim went back to work on Friday."]}],
    ),
    "abstract alone": (
        nitf("", top="<hedline><hl1>Locks open again</hl1></hedline><abstract><p>The lock keepers went back to work.</p></abstract>"),
        [{"text": "The lock keepers went back to work."}],
    ),
}  # fmt: skip


WIRE: dict[str, tuple[bytes, list[Expected]]] = {
    "headline, blank line, copy with notebook": (
        wire(
            "qay0048 3 i 147 qay 0772 ", "conflict/locks/",
            "Lock keepers of Quellheim end strike after nine days =\n\n   Quellheim (qay) - Lock keepers went back to work on Friday.\n   Forty barges had waited.\n\n"
            "Notebook\n\n## Editorial contacts\n- Reporting by: Ida Brandt in Quellheim\n- Editing by: Ole Strand, +49 30 000000, <desk@quay.example>\n\nqay ibr ost\n",
        ),
        [{"headline": "Lock keepers of Quellheim end strike after nine days", "story.slugline": "conflict/locks/", "story.urgency": 3, "text+": "Quellheim (qay) - Lock keepers went back", "story.versionCreated": "2026-01-09T15:30:00Z"}],
    ),
    "byline under a headline of two lines": (
        wire(
            "qay0049 4 s 90 qay 0773 ", "rowing/results/",
            "Quellheim rows to its\nfourth harbour cup in a row\nBy Ida Brandt, qay =\n\n   Port Alder (qay) - Quellheim won the cup on Friday.\n",
        ),
        [{"headline": "Quellheim rows to its fourth harbour cup in a row", "story.by": "Ida Brandt, qay"}],
    ),
    "headline without an equals sign": (
        wire(
            "qay0050 5 f 90 qay 0774 ", "markets/",
            "Harbour shares close higher\n\n   Quellheim (qay) - Shares of the harbour rose on Friday.\n   They had fallen on Thursday.\n",
        ),
        [{"headline": "Harbour shares close higher", "story.urgency": 5, "story.slugline": "markets/"}],
    ),
    "four lines of head": (
        wire(
            "qay0051 3 i 147 qay 0775 ", "conflict/locks/",
            "1ST LEAD\nLock keepers of Quellheim end strike\nEds: adds barges\nBy Ida Brandt, qay =\n\n   Quellheim (qay) - Lock keepers went back to work on Friday.\n",
        ),
        [{"headline": "Lock keepers of Quellheim end strike", "story.edNote+": "1ST LEAD"}],
    ),
    "national variant of ISO 646": (
        (b"\x01qay0052 4 in 90 qay 0776\r\nvatten/\r\n\x02Slussv{rden i Kvarnby |ppnar igen =\r\n\r\n   KVARNBY (QAY) - Slussv{rden |ppnade p} fredagen. Pr}marna fick v{nta l{nge.\r\n"
        b"   Nu g}r allt som f|rr, s{ger hamnchefen \x5csten Ljung.\r\n\x03\r\n091530 JAN 26\x04"),
        [{"headline": "Slussvärden i Kvarnby öppnar igen", "text+": ["öppnade på fredagen", "hamnchefen Östen Ljung"], "language.tag": "sv"}],
    ),
    "two messages": (
        wire("qay0053 4 i 20 qay 0777", "a/", "Locks open again =\n\n   Quellheim (qay) - The locks are open.\n")
        + wire("qay0054 4 i 20 qay 0778", "b/", "Weir inspected =\n\n   Quellheim (qay) - The weir was inspected.\n"),
        [{"headline": "Locks open again"}, {"headline": "Weir inspected"}],
    ),
    "flash of one line": (
        wire("qay0055 1 i 8", "locks/", "Lock keepers of Quellheim end strike - port =\n"),
        [{"headline": "Lock keepers of Quellheim end strike - port", "story.urgency": 1}],
    ),
    "teleprinter with marks before each head line": (
        b"ZCZC\n:Quay Trot\n=Fields Friday\n^Harbour trot fields for Friday\n*T\n$r\n&r\n+15030000\nQUELLHEIM TROT CLUB - FRIDAY\n1 BRAVE ANNA     M Holt      4\n2 OLD BARGE      O Strand    7\nNNNN\n",
        [{"headline": "Harbour trot fields for Friday", "story.slugline": "Quay Trot", "text+": ["1 BRAVE ANNA", "QUELLHEIM TROT CLUB"], "story.subjects.uri+": ["http://cv.iptc.org/newscodes/subjectcode/15030000"]}],
    ),
}  # fmt: skip

CASES = {
    f"{format_}: {name}": case
    for format_, cases in (("newsml-1", NEWSML), ("anpa-1312", ANPA), ("nitf", NITF), ("iptc-7901", WIRE))
    for name, case in cases.items()
}


@pytest.mark.parametrize("name", CASES)
def test_a_kind_of_structure_is_read(name: str) -> None:
    payload, expected = CASES[name]
    assert differences(payload, expected) == []


if __name__ == "__main__":
    print_score(CASES)
