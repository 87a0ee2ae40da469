"""More documents of the four wire formats, written after what `test_wire_kinds` had shown was mended: 27 of 30 were right at first."""

from __future__ import annotations

import pytest

from processors.model.event import Event
from tests.processors.normalise.documents import (
    LANGUAGE,
    Case,
    anpa,
    differences,
    newsml,
    nitf,
    nitf_content,
    part,
    wire,
)
from tests.processors.normalise.samples import outcomes

CASES: dict[str, Case] = {}
COPY = "<p>The tram drivers of Nordhaven stopped work on Monday over a roster, said their union's secretary Pia Lund.</p><p>Line 4 runs every hour.</p>"
CT = "The tram drivers of Nordhaven stopped work on Monday over a roster, said their union's secretary Pia Lund.\n\nLine 4 runs every hour."
CASES["flash in capitals"] = (
    newsml(
        "<NewsComponent><NewsLines><HeadLine/><DateLine>Nordhaven, March 2, 2026 (NPA) -</DateLine><SlugLine>FLASH</SlugLine></NewsLines>"
        + LANGUAGE
        + nitf_content("<p>TRAM DRIVERS OF NORDHAVEN STRIKE</p>")
        + "</NewsComponent>",
        management="<NewsItemType FormalName='Alert'/><Status FormalName='Usable'/><Urgency FormalName='1'/>",
    ),
    [{"headline": "TRAM DRIVERS OF NORDHAVEN STRIKE"}],
)
CASES["headline only in NITF"] = (
    newsml(
        "<NewsComponent>"
        + LANGUAGE
        + nitf_content(
            COPY,
            head="<body.head><hedline><hl1>Tram strike in Nordhaven</hl1></hedline><byline>By Pia Lund</byline></body.head>",
        )
        + "</NewsComponent>"
    ),
    [{"headline": "Tram strike in Nordhaven", "text": CT, "story.by": "Pia Lund"}],
)
CASES["text as XHTML page"] = (
    newsml(
        "<NewsComponent>"
        + LANGUAGE
        + "<NewsLines><HeadLine>Tram strike</HeadLine></NewsLines><ContentItem><MediaType FormalName='Text'/><Format FormalName='XHTML'/><DataContent><html xmlns='http://www.w3.org/1999/xhtml'><head><title>Tram strike</title></head><body>"
        + COPY
        + "</body></html></DataContent></ContentItem></NewsComponent>"
    ),
    [{"headline": "Tram strike", "text": CT}],
)
CASES["photo beside text, each a component"] = (
    newsml(
        "<NewsComponent>"
        + LANGUAGE
        + "<NewsLines><HeadLine>Tram strike</HeadLine><ByLine>Pia Lund</ByLine></NewsLines><NewsComponent><Role FormalName='Main'/>"
        + nitf_content(COPY)
        + "</NewsComponent><NewsComponent><Role FormalName='Supporting'/><NewsComponent><Role FormalName='Main'/><ContentItem Href='t.jpg'><MediaType FormalName='Photo'/></ContentItem></NewsComponent>"
        + part("Caption", "Empty trams, March 2, 2026.")
        + "</NewsComponent></NewsComponent>"
    ),
    [
        {
            "headline": "Tram strike",
            "text": CT,
            "story.associations.type": ["picture"],
            "story.associations.0.descriptions.0.value": "Empty trams, March 2, 2026.",
        }
    ],
)
CASES["plain text with line breaks and indents"] = (
    newsml(
        "<NewsComponent>"
        + LANGUAGE
        + "<NewsLines><HeadLine>Tram strike</HeadLine></NewsLines><ContentItem><MediaType FormalName='Text'/><Format FormalName='Text'/><DataContent>   NORDHAVEN, March 2 (NPA) - The tram drivers stopped work.\n   Line 4 runs every hour.\n</DataContent></ContentItem></NewsComponent>"
    ),
    [
        {
            "headline": "Tram strike",
            "text+": "NORDHAVEN, March 2 (NPA) - The tram drivers stopped work.\n   Line 4 runs every hour.",
        }
    ],
)
CASES["equivalents"] = (
    newsml(
        "<NewsComponent EquivalentsList='yes'>"
        + LANGUAGE
        + "<NewsLines><HeadLine>Tram strike</HeadLine></NewsLines>"
        + part(
            "Main",
            "Short.",
        )
        + "<NewsComponent><Role FormalName='Main'/>"
        + nitf_content(COPY)
        + "</NewsComponent></NewsComponent>"
    ),
    [{"headline": "Tram strike"}],
)
CASES["update and correction instruction"] = (
    newsml(
        "<NewsComponent>"
        + LANGUAGE
        + "<NewsLines><HeadLine>Tram strike</HeadLine></NewsLines>"
        + nitf_content(COPY)
        + "</NewsComponent>",
        management="<NewsItemType FormalName='News'/><ThisRevisionCreated>20260302T101500+0100</ThisRevisionCreated><Status FormalName='Usable'/><Urgency FormalName='3'/><Instruction FormalName='Rectify'/><DerivedFrom NewsItem='urn:newsml:quay.example:20260301:TX-1:2'/>",
    ),
    [
        {
            "story.edNote": "Rectify",
            "story.versionCreated": "2026-03-02T09:15:00Z",
            "story.altIds.value+": ["urn:newsml:quay.example:20260301:TX-1"],
        }
    ],
)
CASES["subject names by topic set and genre"] = (
    newsml(
        "<NewsComponent><NewsLines><HeadLine>Tram strike</HeadLine><KeywordLine>trams; strike</KeywordLine></NewsLines><DescriptiveMetadata><Language FormalName='en'/><Genre FormalName='Current'/><SubjectCode><SubjectMatter FormalName='09003000'/></SubjectCode><Location><Property FormalName='City' Value='Nordhaven'/><Property FormalName='Country' Value='NOR'/></Location></DescriptiveMetadata>"
        + nitf_content(COPY)
        + "</NewsComponent>"
    ),
    [
        {
            "story.subjects.name+": ["trams", "strike"],
            "story.genres.name": ["Current"],
            "story.located": "Nordhaven, NOR",
        }
    ],
)
CASES["French with dash dateline"] = (
    newsml(
        "<NewsComponent><NewsLines><DateLine>Nordhaven, 2 mars 2026 (NPA) -</DateLine><HeadLine>Grève des trams</HeadLine></NewsLines><DescriptiveMetadata><Language FormalName='fr'/></DescriptiveMetadata>"
        + nitf_content("<p>Les conducteurs de tram de Nordhaven ont cessé le travail lundi.</p>")
        + "</NewsComponent>"
    ),
    [
        {
            "headline": "Grève des trams",
            "text": "Nordhaven, 2 mars 2026 (NPA) - Les conducteurs de tram de Nordhaven ont cessé le travail lundi.",
            "language.tag": "fr",
        }
    ],
)
CASES["item lang on NewsItem only"] = (
    newsml(
        "<NewsComponent><NewsLines><HeadLine>Tramstreik</HeadLine></NewsLines>"
        + nitf_content("<p>Die Fahrer der Tram in Nordhaven streiken.</p>")
        + "</NewsComponent>"
    ).replace("<NewsItem>", "<NewsItem xml:lang='de'>"),
    [{"language.declared": "de"}],
)
CASES["video item with summary text and no MediaType text"] = (
    newsml(
        "<NewsComponent>"
        + LANGUAGE
        + "<NewsLines><HeadLine>Tram strike video</HeadLine></NewsLines><NewsComponent><Role FormalName='Main'/><ContentItem Href='v.mp4'><MediaType FormalName='Video'/><Format FormalName='MPEG4'/></ContentItem></NewsComponent><NewsComponent><Role FormalName='Caption'/><ContentItem><MediaType FormalName='Text'/><DataContent><p>Empty tracks.</p></DataContent></ContentItem></NewsComponent></NewsComponent>"
    ),
    [{"headline": "Tram strike video", "text": "Empty tracks.", "story.type": "video"}],
)
CASES["rights and copyright"] = (
    newsml(
        "<NewsComponent>"
        + LANGUAGE
        + "<NewsLines><HeadLine>Tram strike</HeadLine><CopyrightLine>(c) NPA 2026</CopyrightLine><CreditLine>NPA</CreditLine></NewsLines><RightsMetadata><UsageRights><UsageType>Subscribers only</UsageType></UsageRights></RightsMetadata>"
        + nitf_content(COPY)
        + "</NewsComponent>"
    ),
    [
        {
            "story.copyrightNotice": "(c) NPA 2026",
            "story.usageTerms+": "Subscribers only",
            "story.infoSources.name+": ["NPA"],
        }
    ],
)
CASES["advisory with for-release note"] = (
    anpa(
        "BC-Tram Strike,Advisory,0100",
        "^BC-Tram Strike, Advisory,0100<\n^EDITORS: The tram story will move by 8 p.m.<\n^Quay News<\n",
        category="v",
    ),
    [{"story.slugline+": "Tram", "text+": "The tram story will move"}],
)
CASES["sports agate with eight columns"] = (
    anpa(
        "BC-TRM--Standings,0100",
        "^BC-TRM--Standings,0100<\n^Tram pull standings<\n^At A Glance<\n\bNordhaven\x10\x1012\x103\x10.800\x10-\n\bQuellheim\x10\x1010\x105\x10.667\x102\n",
        category="q",
        format_="\x14\x12",
    ),
    [{"headline": "Tram pull standings", "text+": ["Nordhaven  12 3 .800", "Quellheim  10 5 .667 2"]}],
)
CASES["urgent with numbers in slug"] = (
    anpa(
        "BC-Tram Strike,1st Ld,0100",
        "^BC-Tram Strike, 1st Ld,0100<\n^URGENT<\n^Tram drivers strike in Nordhaven<\n\tNORDHAVEN, Norway (QNA) _ Tram drivers stopped work.\n",
        priority="u",
    ),
    [{"headline": "Tram drivers strike in Nordhaven", "story.urgency": 3}],
)
CASES["byline then agency then headline missing"] = (
    anpa(
        "BC-Tram Column,0100",
        "^BC-Tram Column,0100<\n^By PIA LUND<\n^Quay News Writer<\n\tNORDHAVEN (QNA) _ The tram drivers of Nordhaven stopped work on Monday over a roster.\n\tLine 4 runs every hour.\n",
        category="e",
    ),
    [{"story.by": "PIA LUND"}],
)
CASES["lower case bc, no take"] = (
    anpa(
        "bc-trams", "^bc-trams<\n^Trams stand still in Nordhaven<\n\tNORDHAVEN (QNA) _ Trams stood still.\n"
    ),
    [{"headline": "Trams stand still in Nordhaven", "story.slugline": "bc-trams"}],
)
CASES["body with typographic shifts"] = (
    anpa(
        "BC-Trams,0100",
        "^BC-Trams,0100<\n^Trams stand still<\n\t\x0eNORDHAVEN\x0f (QNA) _ Trams \x13stood\x11 still.\n",
    ),
    [{"headline": "Trams stand still", "text+": "NORDHAVEN (QNA) _ Trams stood still."}],
)
CASES["without control characters, two of them"] = (
    "a0421 clnt-\nr i BC-Tram Strike 03-02 0123\n^BC-Tram Strike,0123<\n^Tram drivers strike<\n   NORDHAVEN (QNA) _ Tram drivers stopped work.<\nQNA-NH-03-02-26 1530GMT\na0422 clnt-\nr i BC-Weir 03-02 0100\n^BC-Weir,0100<\n^Weir inspected<\n   NORDHAVEN (QNA) _ The weir was inspected.<\nQNA-NH-03-02-26 1545GMT\n",
    [
        {
            "headline": "Tram drivers strike",
            "story.slugline": "BC-Tram Strike",
            "story.versionCreated": "2026-03-02T15:30:00Z",
        },
        {"headline": "Weir inspected"},
    ],
)
CASES["correction"] = (
    anpa(
        "BC-Tram Strike,Correction,0100",
        "^BC-Tram Strike, CORRECTION,0100<\n^CORRECTION: Tram strike story<\n\tNORDHAVEN (QNA) _ In a story March 2 about a tram strike, Quay News misspelled a name.\n",
    ),
    [{"headline": "CORRECTION: Tram strike story"}],
)
CASES["dateline told twice"] = (
    nitf(
        "<block id='Main'><p>NORDHAVEN, Norway (QNA) — Tram drivers stopped work.</p><p>Line 4 runs every hour.</p></block>",
        top="<hedline><hl1 id='headline'>Tram strike</hl1><hl2 id='originalHeadline'>Tram strike in Nordhaven</hl2></hedline><byline>By PIA LUND</byline><distributor>Quay News</distributor><dateline><location>NORDHAVEN, Norway</location></dateline>",
        data="<doc-id regsrc='QNA' id-string='D1'/><date.issue norm='20260302T140007Z'/><ed-msg info='Eds: UPDATES.'/><doc.rights owner='QNA' agent='hardcopy'/><doc.copyright holder='QNA' year='2026'/>",
    ),
    [
        {
            "headline": "Tram strike",
            "text": "NORDHAVEN, Norway (QNA) — Tram drivers stopped work.\n\nLine 4 runs every hour.",
            "story.by": "PIA LUND",
            "story.edNote": "Eds: UPDATES.",
            "story.versionCreated": "2026-03-02T14:00:07Z",
        }
    ],
)
CASES["dates and subjects of a Spanish agency"] = (
    nitf(
        COPY,
        head="<title>Huelga de tranvías</title><tobject tobject.type='News'><tobject.subject tobject.subject.ipr='IPTC' tobject.subject.refnum='09003000' tobject.subject.type='Trabajo' tobject.subject.matter='Conflictos'/></tobject>",
        top="<hedline><hl1>Huelga de tranvías</hl1><hl2>NORUEGA HUELGA</hl2></hedline><byline>pl/ost</byline><dateline><story.date norm='20260302T103600+0000'>20260302T103600+0000</story.date></dateline>",
        data="<evloc city='Nordhaven' iso-cc='NOR'/><doc-id id-string='25413502'/><urgency ed-urg='5'/><date.issue norm='20260302T103600+0000'/><key-list><keyword key='NORUEGA HUELGA'/></key-list>",
    ),
    [
        {
            "headline": "Huelga de tranvías",
            "text": CT,
            "story.slugline": "NORUEGA HUELGA",
            "story.places.name+": ["Nordhaven, NOR"],
            "story.versionCreated": "2026-03-02T10:36:00Z",
            "story.subjects.uri+": ["http://cv.iptc.org/newscodes/subjectcode/09003000"],
        }
    ],
)
CASES["pre and lists"] = (
    nitf("<p>Results:</p><ul><li>Nordhaven 3</li><li>Quellheim 1</li></ul><pre>A  1\nB  2</pre>"),
    [{"text+": ["- Nordhaven 3\n- Quellheim 1", "A  1\nB  2"]}],
)
CASES["body.end tagline"] = (
    nitf(COPY).replace(
        "</body.content></body>",
        "</body.content><body.end><tagline>(Reporting by Pia Lund)</tagline></body.end></body>",
    ),
    [{"text": CT + "\n\n(Reporting by Pia Lund)"}],
)
CASES["pm urgency and expiry"] = (
    nitf(
        COPY,
        data="<doc-id id-string='x'/><urgency ed-urg='1'/><date.issue norm='20260302'/><date.expire norm='20260309T000000Z'/>",
    ),
    [
        {
            "story.urgency": 1,
            "story.versionCreated": "2026-03-02T00:00:00Z",
            "story.expires": "2026-03-09T00:00:00Z",
        }
    ],
)
CASES["doctype and entities"] = (
    nitf("<p>Trams &amp; buses &eacute;t&eacute;.</p>").replace(
        "<nitf>", "<!DOCTYPE nitf SYSTEM 'nitf-3-4.dtd'><nitf>"
    ),
    [{"text": "Trams & buses été."}],
)
CASES["no words count"] = (
    wire("npa12 2 pol", "trams/", "Tram strike =\n\n   Nordhaven (npa) - Trams stand still.\n"),
    [{"headline": "Tram strike", "story.urgency": 2}],
)
CASES["slug after STX"] = (
    b"\x01npa0013 4 i 30\r\n\x02trams/strike/\r\nTram drivers strike in Nordhaven =\r\n   Nordhaven (npa) - Trams stand still.\r\n\x03021530 MAR 26\x04",
    [{"headline": "Tram drivers strike in Nordhaven", "story.slugline+": "trams/strike"}],
)
CASES["German notebook"] = (
    wire(
        "npa0014 4 vm 120 npa 0777",
        "Verkehr/Streik/",
        "Straßenbahnen in Nordhaven stehen still =\n\nNordhaven (npa) - Die Fahrer der Straßenbahn streiken seit Montag.\nEs fährt nur die Linie 4.\n\n# npa-Notizblock\n\n## Orte\n- [Depot](Hafenstraße 1, Nordhaven)\n\nnpa pl yyzz n1 ost\n",
    ),
    [
        {
            "headline": "Straßenbahnen in Nordhaven stehen still",
            "language.tag": "de",
            "story.slugline": "Verkehr/Streik/",
        }
    ],
)
CASES["without control characters"] = (
    "npa0015 4 i  30\ntrams/\nTram drivers strike in Nordhaven =\n\n   Nordhaven (npa) - Trams stand still.\n021530 MAR 26\n",
    [{"headline": "Tram drivers strike in Nordhaven", "story.versionCreated": "2026-03-02T15:30:00Z"}],
)


@pytest.mark.parametrize("name", CASES)
def test_a_document_is_read(name: str) -> None:
    payload, expected = CASES[name]
    assert differences(payload, expected) == []


@pytest.mark.parametrize("identifier", ["<ProviderId>quay.example</ProviderId>", ""])
@pytest.mark.parametrize("duids", [("0", "0"), ("1", ""), ("", "")])
def test_two_texts_of_an_item_never_share_a_uri(identifier: str, duids: tuple[str, str]) -> None:
    def uris(words: str) -> set[str]:
        texts = "".join(
            part("Main", f"{words} {number}", f"Headline {number}", duid=duid)
            for number, duid in enumerate(duids)
        )
        events = outcomes(newsml(f"<NewsComponent>{LANGUAGE}{texts}</NewsComponent>", identifier=identifier))
        return {event.story.uri for event in events if isinstance(event, Event)}

    first, second = uris("The weir is open"), uris("The lock is shut")
    assert len(first) == len(second) == 2
    assert not identifier or first.isdisjoint(second)
