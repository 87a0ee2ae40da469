"""Kinds of feeds as publishers send them, and packages of JSON and NewsML-G2: invented, marked before the program ran."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.processors.normalise.documents import (
    ATOM,
    DC,
    G2,
    Case,
    atom,
    dated,
    differences,
    html,
    print_score,
    rss,
)

WORDS = "The ferry of Port Alder runs again after nine days."


DATES = {
    "Fri, 09 Jan 2026 10:00:00 GMT": "2026-01-09T10:00:00Z",
    "Fri, 9 Jan 26 10:00 EST": "2026-01-09T15:00:00Z",
    "09 Jan 2026 10:00 +0130": "2026-01-09T08:30:00Z",
    "Fri Jan  9 10:00:00 2026": "2026-01-09T10:00:00Z",
    "Fri Jan 09 10:00:00 PST 2026": "2026-01-09T18:00:00Z",
    "Friday, January 9, 2026 10:00 AM": "2026-01-09T10:00:00Z",
    "Friday, 9 January 2026 10:00:00 -0500": "2026-01-09T15:00:00Z",
    "Fri, 09 January 2026 10:00:00 CET": "2026-01-09T09:00:00Z",
    "2026-01-09T10:00:00Z": "2026-01-09T10:00:00Z",
    "2026-01-09T10:00:00.123+01:00": "2026-01-09T09:00:00.123Z",
    "2026-01-09T10:00-0500": "2026-01-09T15:00:00Z",
    "2026-01-09T10:00": "2026-01-09T10:00:00Z",
    "2026-01-09 10:00:00": "2026-01-09T10:00:00Z",
    "2026-01-09 10:00:00 +0100": "2026-01-09T09:00:00Z",
    "2026-01-09 10:00:00.0": "2026-01-09T10:00:00Z",
    "2026-01-09": "2026-01-09T00:00:00Z",
    "20260109": "2026-01-09T00:00:00Z",
    "20260109T100000Z": "2026-01-09T10:00:00Z",
    "2026-009": "2026-01-09T00:00:00Z",
    "2026-01-09t10:00:00z": "2026-01-09T10:00:00Z",
    "Fri, 09 Jan 2026 24:00:00 GMT": "2026-01-10T00:00:00Z",
    "2026-01": "2026-01-01T00:00:00Z",
    "Fri, 31 Feb 2026 10:00:00 GMT": None,
    "Fri, 9 Jan 2026 10:00:60 GMT": "2026-01-09T10:00:59Z",
    "9 janvier 2026 10:00:00 +0100": "2026-01-09T09:00:00Z",
    "ven., 09 janv. 2026 10:00:00 +0100": "2026-01-09T09:00:00Z",
    "Fr, 09 Jän 2026 10:00:00 +0100": "2026-01-09T09:00:00Z",
    "пт, 09 янв 2026 10:00:00 +0300": "2026-01-09T07:00:00Z",
    "Παρ, 09 Ιαν 2026 10:00:00 EET": "2026-01-09T08:00:00Z",
    "2026-január-9T10:00+01:00": "2026-01-09T09:00:00Z",
    "2026년 01월 09일 오전 10:00:00": "2026-01-09T10:00:00Z",
    "2026-01-09 오후 10:00:00": "2026-01-09T22:00:00Z",
    "2026年1月9日 10:00": "2026-01-09T10:00:00Z",
    "01/09/2026 10:00:00 AM": None,
    "1767952800": None,
    "yesterday": None,
    "": None,
}
# A date with a slash is day or month first; nobody can say which.

FEEDS: dict[str, Case] = {
    "content beside a short description": (
        rss(f"<title>Ferry</title><description>In short.</description><content:encoded xmlns:content='http://purl.org/rss/1.0/modules/content/'><![CDATA[<p>{WORDS}</p>]]></content:encoded>"),
        [{"headline": "Ferry", "text": WORDS, "story.descriptions.0.value": "In short."}],
    ),
    "escaped twice": (rss("<title>Ferry &amp;amp; bridge &amp;#8212; open</title><description>A &amp;lt;b&amp;gt;bold&amp;lt;/b&amp;gt; plan for the ferry.</description>"), [{"headline": "Ferry & bridge — open"}]),
    "markup in the title": (rss("<title>&lt;b&gt;Ferry&lt;/b&gt; runs</title><description>x y z</description>"), [{"headline": "Ferry runs"}]),
    "a title of Atom in XHTML": (atom("<title type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>Ferry <em>runs</em> again</div></title><id>urn:x:1</id>"), [{"headline": "Ferry runs again"}]),
    "a title of Atom in HTML": (atom("<title type='html'>Ferry &lt;em&gt;runs&lt;/em&gt; &amp;amp; more</title><id>urn:x:1</id>"), [{"headline": "Ferry runs & more"}]),
    "a title of Atom in text with signs": (atom("<title type='text'>If a &lt; b the ferry &amp; the bridge</title><id>urn:x:1</id>"), [{"headline": "If a < b the ferry & the bridge"}]),
    "content of Atom by source and summary": (
        atom("<title>Ferry</title><id>urn:x:1</id><summary>In short.</summary><content type='video/mp4' src='https://quay.example/f.mp4'/>"), [{"headline": "Ferry", "text": "In short."}],
    ),
    "content of Atom in base64": (atom("<title>Ferry</title><id>urn:x:1</id><content type='text/plain' mode='base64'>VGhlIGZlcnJ5IHJ1bnMu</content>"), [{"text": "The ferry runs."}]),
    "several links of Atom": (
        atom("<title>Ferry</title><id>urn:x:1</id><link rel='self' href='https://quay.example/self'/><link rel='alternate' type='text/html' href='/ferry'/><link rel='enclosure' type='audio/mpeg' length='77' href='https://quay.example/f.mp3'/>",
             root=f"<feed xmlns='{ATOM}' xml:base='https://quay.example/news/'>"),
        [{"story.altIds.value+": ["https://quay.example/ferry"], "story.associations.0.type": "audio"}],
    ),
    "author of the feed": (atom("<title>Ferry</title><id>urn:x:1</id>", head="<title>Quay</title><id>u</id><author><name>Ida Brandt</name></author>"), [{"headline": "Ferry", "story.by": "Ida Brandt"}]),
    "authors of an entry": (atom("<title>Ferry</title><id>urn:x:1</id><author><name>Ida Brandt</name></author><author><name>Ole Strand</name></author>"), [{"story.by": "Ida Brandt, Ole Strand"}]),
    "a creator of Dublin Core": (rss("<title>Ferry</title><dc:creator>Ida Brandt</dc:creator><dc:date>2026-01-09T10:00:00Z</dc:date>", root=f"<rss version='2.0' {DC}>"), [{"story.by": "Ida Brandt", "story.firstCreated": "2026-01-09T10:00:00Z"}]),
    "an author as a mailbox": (rss("<title>Ferry</title><author>ida@quay.example (Ida Brandt)</author>"), [{"story.by": "Ida Brandt"}]),
    "a guid that is no link, and a link": (rss("<title>Ferry</title><guid isPermaLink='false'>77 at quay</guid><link>https://quay.example/77</link>"), [{"story.altIds.value+": ["77 at quay", "https://quay.example/77"]}]),
    "a guid that is the link": (rss("<title>Ferry</title><guid>https://quay.example/77</guid>"), [{"story.uri": "https://quay.example/77"}]),
    "no title but words": (rss(f"<description>{WORDS}</description><link>https://quay.example/77</link>"), [{"text": WORDS, "story.uri": "https://quay.example/77"}]),
    "blanks and breaks in a title and a link": (rss("<title>\n  Ferry\n  runs again \n</title><link>\n https://quay.example/77 \n</link>"), [{"headline": "Ferry runs again", "story.uri": "https://quay.example/77"}]),
    "an undeclared prefix": (rss(f"<title>Ferry</title><media:description>{WORDS}</media:description><dc:creator>Ida Brandt</dc:creator>"), [{"headline": "Ferry", "story.by": "Ida Brandt", "text": WORDS}]),
    "bare ampersands and entities of HTML": (rss("<title>Ferry & bridge &eacute; &nbsp;open</title><link>https://quay.example/?a=1&b=2</link>"), [{"headline": "Ferry & bridge é open", "story.uri": "https://quay.example/?a=1&b=2"}]),
    "blanks before the declaration": ("\n\n  " + rss("<title>Ferry</title>"), [{"headline": "Ferry"}]),
    "a comment before the root, an instruction in it": (rss("<title>Ferry</title>").replace("<rss", "<!-- made by hand --><?xml-stylesheet href='a.xsl'?><rss").replace("<item>", "<?pi x?><!-- c --><item>"), [{"headline": "Ferry"}]),
    "control characters": (rss("<title>Ferry\x0b runs\x00 again</title>"), [{"headline": "Ferry runs again"}]),
    "an item outside of the channel": ("<rss version='0.91'><channel><title>Quay</title></channel><item><title>Ferry</title><link>https://quay.example/1</link></item></rss>", [{"headline": "Ferry"}]),
    "RSS 0.90 in RDF": ("<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://my.netscape.com/rdf/simple/0.9/'><channel><title>Quay</title></channel><item><title>Ferry</title><link>https://quay.example/1</link></item></rdf:RDF>", [{"headline": "Ferry", "story.uri": "https://quay.example/1"}]),
    "RSS 1.0 with rdf:about": (f"<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/' {DC}><channel rdf:about='https://quay.example/'><title>Quay</title><dc:language>en-GB</dc:language></channel><item rdf:about='https://quay.example/1'><title>Ferry</title><dc:subject>ships</dc:subject><dc:date>2026-01-09</dc:date></item></rdf:RDF>", [{"story.uri": "https://quay.example/1", "language.declared": "en-GB", "story.subjects.name": ["ships"], "story.firstCreated": "2026-01-09T00:00:00Z"}]),
    "Atom 0.3": ("<feed version='0.3' xmlns='http://purl.org/atom/ns#'><title>Quay</title><entry><title>Ferry</title><id>urn:x:1</id><issued>2026-01-09T10:00:00Z</issued><modified>2026-01-09T11:00:00Z</modified><content type='text/html' mode='escaped'>&lt;p&gt;The ferry runs.&lt;/p&gt;</content></entry></feed>", [{"headline": "Ferry", "text": "The ferry runs.", "story.firstCreated": "2026-01-09T10:00:00Z", "story.versionCreated": "2026-01-09T11:00:00Z"}]),
    "categories with domains and keywords": (rss("<title>Ferry</title><category domain='quay'>ships</category><category>ports</category>", head="<title>Quay</title>"), [{"story.subjects.name+": ["ships", "ports"]}]),
    "enclosures and media": (
        rss("<title>Ferry</title><enclosure url='https://quay.example/a.mp3' type='audio/mpeg' length='99'/><media:group xmlns:media='http://search.yahoo.com/mrss/'><media:content url='https://quay.example/b.jpg' medium='image'><media:title>Bow</media:title><media:credit>Mira Holt</media:credit></media:content></media:group>"),
        [{"story.associations.type": ["audio", "picture"], "story.associations.1.by": "Mira Holt"}],
    ),
    "a podcast": (
        rss(f"<title>Episode 7</title><itunes:title>Ferries</itunes:title><itunes:summary>{WORDS}</itunes:summary><itunes:author>Ida Brandt</itunes:author><enclosure url='https://quay.example/a.mp3' type='audio/mpeg' length='99'/>",
            root="<rss version='2.0' xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'>"),
        [{"headline": "Episode 7", "text": WORDS, "story.by": "Ida Brandt"}],
    ),
    "relative links and a base": (rss("<title>Ferry</title><link>/77</link><description>&lt;img src='/b.jpg'&gt; text of it</description>", root="<rss version='2.0' xml:base='https://quay.example/news/'>"), [{"story.altIds.value+": ["https://quay.example/77"], "story.associations.0.uri": "https://quay.example/b.jpg"}]),
    "language of the channel in odd spelling": (rss("<title>Ferry</title>", head="<title>Q</title><language>EN_us</language>"), [{"language.declared": "en-US"}]),
    "a source": (rss("<title>Ferry</title><source url='https://bay.example/rss'>Bay Times</source>"), [{"story.infoSources.name": ["Bay Times"]}]),
    "a JSON Feed": (
        orjson.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "Quay", "language": "en", "items": [{"id": 77, "url": "https://quay.example/77", "title": "Ferry", "content_html": f"<p>{WORDS}</p>", "date_published": "2026-01-09T10:00:00+01:00", "authors": [{"name": "Ida Brandt"}], "tags": ["ships"], "attachments": [{"url": "https://quay.example/a.mp3", "mime_type": "audio/mpeg"}]}]}),
        [{"headline": "Ferry", "text": WORDS, "story.by": "Ida Brandt", "story.firstCreated": "2026-01-09T09:00:00Z", "story.subjects.name": ["ships"], "story.associations.0.type": "audio"}],
    ),
    "a declared encoding that is wrong": ("<?xml version='1.0' encoding='us-ascii'?><rss version='2.0'><channel><item><title>Fähre fährt</title></item></channel></rss>".encode(), [{"headline": "Fähre fährt"}]),
    "UTF-16 with a mark": ("<?xml version='1.0' encoding='utf-16'?><rss version='2.0'><channel><item><title>Fähre fährt</title></item></channel></rss>".encode("utf-16"), [{"headline": "Fähre fährt"}]),
    "a document type with entities": ("<!DOCTYPE rss [<!ENTITY quay 'Quay &#38; Sons'>]><rss version='2.0'><channel><item><title>Ferry of &quay;</title></item></channel></rss>", [{"headline": "Ferry of Quay & Sons"}]),
    "GeoRSS": (rss("<title>Ferry</title><georss:point xmlns:georss='http://www.georss.org/georss'>51.5 -0.1</georss:point>"), [{"story.places.0.geoJSON.coordinates": [-0.1, 51.5]}]),
    "scripts and styles": (rss("<title>Ferry</title><description><![CDATA[<style>p{color:red}</style><script>alert(1)</script><p onclick='x()'>The ferry runs.</p>]]></description>"), [{"text": "The ferry runs."}]),
    "lists and tables": (rss("<title>Ferry</title><description><![CDATA[<ul><li>one</li><li>two</li></ul><table><tr><td>a</td><td>b</td></tr></table>]]></description>"), [{"text+": ["- one\n- two", "a\tb"]}]),
}  # fmt: skip


def item(uri: str, headline: str, **more: Any) -> dict[str, Any]:
    """A ninjs 3 item."""
    return {
        "uri": uri,
        "type": "text",
        "versionCreated": "2026-01-09T10:00:00Z",
        "headlines": [{"role": "main", "value": headline}],
        **more,
    }


def body(value: str, role: str | None = "main", kind: str = "text/plain") -> dict[str, str]:
    """A body of an item."""
    return {"contentType": kind, "value": value} | ({"role": role} if role else {})


LONG = " ".join([WORDS] * 6)
REMOTE = "<remoteContent href='https://quay.example/b.jpg' contenttype='image/jpeg'/>"


PACKAGES: dict[str, Case] = {
    "main body behind caption and script": (
        orjson.dumps(item("urn:x:1", "Ferry", bodies=[body("A ferry in port.", "caption"), body("SHOTLIST 1. Bow", "script"), body(LONG)])), [{"text": LONG}],
    ),
    "bodies without a main role": (
        orjson.dumps(item("urn:x:1", "Ferry", bodies=[body("In short.", "summary"), body("SHOTLIST 1. Bow", "script"), body(LONG, "article")])), [{"text": LONG}],
    ),
    "bodies without roles": (orjson.dumps(item("urn:x:1", "Ferry", bodies=[body("In short.", None), body(LONG, None)])), [{"text": LONG}]),
    "markup behind a short plain body": (
        orjson.dumps(item("urn:x:1", "Ferry", bodies=[body("In short.", "teaser"), body(f"<p>{LONG}</p>", "main", "text/html")])), [{"text": LONG}],
    ),
    "ninjs 1 with a script first": (
        orjson.dumps({"uri": "urn:x:1", "type": "text", "versioncreated": "2026-01-09T10:00:00Z", "headline": "Ferry", "body_script": "SHOTLIST 1. Bow", "body_text": LONG}), [{"headline": "Ferry", "text": LONG}],
    ),
    "a composite of texts and pictures": (
        orjson.dumps({
            "uri": "urn:x:p", "type": "composite", "versioncreated": "2026-01-09T10:00:00Z", "headline": "Ferry package",
            "associations": {
                "picture": {"uri": "urn:x:i", "type": "picture", "headline": "Bow", "description_text": "A bow."},
                "sidebar": {"uri": "urn:x:s", "type": "text", "headline": "Ferry in figures", "body_text": "Nine days, forty cars."},
                "main": {"uri": "urn:x:m", "type": "text", "headline": "Ferry runs again", "body_text": LONG},
            },
        }),
        [{"headline": "Ferry in figures", "story.uri": "urn:x:s"}, {"headline": "Ferry runs again", "text": LONG, "story.uri": "urn:x:m", "story.associations.type": ["picture"]}],
    ),
    "a composite with a body of its own": (
        orjson.dumps({"uri": "urn:x:p", "type": "composite", "versioncreated": "2026-01-09T10:00:00Z", "headline": "Ferry package", "body_html": f"<p>{LONG}</p>",
                      "associations": {"sidebar": {"uri": "urn:x:s", "type": "text", "headline": "Ferry in figures", "body_text": "Nine days."}}}),
        [{"headline": "Ferry package", "text": LONG, "story.uri": "urn:x:p"}],
    ),
    "a picture with a caption": (
        orjson.dumps({"uri": "urn:x:i", "type": "picture", "versioncreated": "2026-01-09T10:00:00Z", "headline": "Bow", "description_text": "A bow in Port Alder."}), [{"headline": "Bow", "text": "A bow in Port Alder.", "story.type": "picture"}],
    ),
    "a summary alone": (orjson.dumps(item("urn:x:1", "Ferry", descriptions=[{"role": "summary", "value": "In short."}])), [{"text": "In short."}]),
    "a message of G2 with the picture first": (
        f"<newsMessage xmlns='http://iptc.org/std/nar/2006-10-01/'><itemSet>{G2.format('i', 'picture', 'Bow', REMOTE)}{G2.format('m', 'text', 'Ferry runs again', html(LONG))}</itemSet></newsMessage>",
        [{"headline": "Ferry runs again", "text": LONG, "story.associations.type": ["picture"]}],
    ),
    "an item of G2 with a summary before its text": (
        G2.format("m", "text", "Ferry", f"<inlineData contenttype='text/plain'>In short.</inlineData>{html(LONG)}"), [{"headline": "Ferry", "text": LONG}],
    ),
    "an item of G2 in an odd vocabulary": (
        G2.format("m", "text", "Färjan går", "<inlineXML contenttype='application/ttnitf+xml'><BODY xmlns=''><TEXT><RUBRIK>Färjan går</RUBRIK><DAT><ORT>Kvarnby</ORT></DAT><INGRESS><P>Färjan går igen.</P></INGRESS><BRODTEXT><P>Nio dagar låg den still.</P><MELLIS>Fyrtio bilar</MELLIS><P>Hamnen är nöjd.</P></BRODTEXT></TEXT></BODY></inlineXML>"),
        [{"headline": "Färjan går", "text+": "Färjan går igen.\n\nNio dagar låg den still.\n\nFyrtio bilar\n\nHamnen är nöjd."}],
    ),
    "an item of G2 without a headline": (
        G2.format("m", "text", "", html("QUELLHEIM (QNA) - Locks of Quellheim open again, port says.")), [{"headline": "Locks of Quellheim open again, port says"}],
    ),
    "parents of subjects in G2": (
        G2.format("m", "text", "Ferry", html(LONG)).replace("</contentMeta>", "<subject qcode='subj:04000000'/><subject qcode='subj:04015001'/><subject qcode='medtop:20000344'/></contentMeta>"),
        [{"story.subjects.uri+": ["http://cv.iptc.org/newscodes/subjectcode/04000000", "http://cv.iptc.org/newscodes/subjectcode/04015001", "http://cv.iptc.org/newscodes/mediatopic/20000344"]}],
    ),
}  # fmt: skip

CASES: dict[str, Case] = {
    **{f"date {text!r}": (dated(text), [{"story.firstCreated": wanted, "headline": "Ferry"}]) for text, wanted in DATES.items()},
    **{f"feed: {name}": case for name, case in FEEDS.items()},
    **{f"package: {name}": case for name, case in PACKAGES.items()},
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_kind_of_feed_or_package_is_read(name: str) -> None:
    payload, expected = CASES[name]
    assert differences(payload, expected) == []


if __name__ == "__main__":
    print_score(CASES)
