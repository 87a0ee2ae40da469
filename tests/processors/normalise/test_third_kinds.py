"""A third set of feeds and wire documents, written after the kinds of the second were mended; nothing was mended for it before its first run."""

from __future__ import annotations

import orjson

from tests.processors.normalise.documents import (
    COPY,
    DC,
    HEAD,
    LANGUAGE,
    PLAIN,
    Case,
    anpa,
    atom,
    dated,
    find_faults,
    g2,
    mail,
    newsml,
    nitf,
    nitf_content,
    part,
    rss,
    wire,
)

LAMP = "The bakers of Lund Cross baked through the night for the fair."
CASES: dict[str, Case] = {
    # feeds
    "warnings in HTML before the declaration": ("<br />\n<b>Notice</b>:  Undefined index: x in <b>/srv/feed.php</b> on line <b>9</b><br />\n" + rss("<title>Bread</title><guid>https://b.example/1</guid>"), [{"headline": "Bread", "story.uri": "https://b.example/1"}]),
    "a relative base in a relative base": (atom("<title>Bread</title><id>urn:b:1</id><link href='1.html'/>", root="<feed xmlns='http://www.w3.org/2005/Atom' xml:base='https://b.example/'>").replace("<entry>", "<entry xml:base='en/'>"), [{"story.altIds.value+": ["https://b.example/en/1.html"]}]),
    "an item with its base": (rss("<title>Bread</title><link>1.html</link>", root="<rss version='2.0' xml:base='https://b.example/a/'>"), [{"story.altIds.value+": ["https://b.example/a/1.html"]}]),
    "CDATA of CDATA in the content": (rss(f"<title>Bread</title><description>&lt;![CDATA[&lt;p&gt;{LAMP}&lt;/p&gt;]]&gt;</description>"), [{"text": LAMP}]),
    "a description escaped twice": (rss(f"<title>Bread</title><description>&amp;lt;p&amp;gt;{LAMP}&amp;lt;/p&amp;gt;</description>"), [{"text+": LAMP}]),
    "guid and link of another host": (rss("<title>Bread</title><guid isPermaLink='false'>tag:b.example,2026:1</guid><link>https://out.example/go?u=1</link>"), [{"story.uri": "tag:b.example,2026:1"}]),
    "several texts in one entry": (atom(f"<title>Bread</title><id>urn:b:1</id><summary>Bakers bake.</summary><content type='html'>&lt;p&gt;{LAMP}&lt;/p&gt;</content>"), [{"text": LAMP, "story.descriptions.0.value": "Bakers bake."}]),
    "people of Atom in RSS": (rss("<title>Bread</title><atom:author><atom:name>Nell Ash</atom:name></atom:author>", root="<rss version='2.0' xmlns:atom='http://www.w3.org/2005/Atom'>"), [{"story.by": "Nell Ash"}]),
    "a title with a line of markup and a break": (rss("<title>Bread&lt;br/&gt;and &lt;i&gt;salt&lt;/i&gt;</title>"), [{"headline": "Bread and salt"}]),
    "images with captions": (rss(f"<title>Bread</title><description><![CDATA[<p>{LAMP}</p><figure><img src='https://b.example/1.jpg'><figcaption>An oven.</figcaption></figure>]]></description>"), [{"text+": LAMP, "story.associations.0.uri": "https://b.example/1.jpg"}]),
    "prism": (rss("<title>Bread</title><prism:publicationDate>2026-04-05T06:07:08Z</prism:publicationDate><prism:section>Food</prism:section>", root="<rss version='2.0' xmlns:prism='http://prismstandard.org/namespaces/basic/2.0/'>"), [{"story.firstCreated": "2026-04-05T06:07:08Z", "story.subjects.name+": ["Food"]}]),
    "subjects of Dublin Core": (rss("<title>Bread</title><dc:subject>food</dc:subject><dc:subject>fairs</dc:subject><dc:publisher>Lund Post</dc:publisher>", root=f"<rss version='2.0' {DC}>"), [{"story.subjects.name+": ["food", "fairs"]}]),
    "RSS in UTF-16 with a wrong declaration": (b"\xff\xfe" + rss("<title>Bäcker</title>").encode("utf-16-le"), [{"headline": "Bäcker"}]),
    "a JSON Feed with HTML entities": (orjson.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "title": "Bread &amp; salt", "content_html": "<p>A&nbsp;b</p>"}]}), [{"headline": "Bread & salt"}]),
    "a podcast of chapters": (rss(f"<title>Bread</title><description>{LAMP}</description><podcast:transcript xmlns:podcast='https://podcastindex.org/namespace/1.0' url='https://b.example/t.vtt' type='text/vtt'/><enclosure url='https://b.example/1.mp3' length='9' type='audio/mpeg'/>"), [{"headline": "Bread", "text": LAMP, "story.associations.0.type": "audio"}]),
    "a control character in an address": (rss("<title>Bread</title><link>https://b.example/1\x0b</link>"), [{"headline": "Bread", "story.uri": "https://b.example/1"}]),
    "RDF whose items lie in the channel": ("<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'><channel><title>B</title><item rdf:about='https://b.example/1'><title>Bread</title></item></channel></rdf:RDF>", [{"headline": "Bread", "story.uri": "https://b.example/1"}]),
    "date 2026-W15": (dated("2026-W15-3"), [{"story.firstCreated": "2026-04-08T00:00:00Z"}]),
    "date in Ukrainian": (dated("середа, 8 квітня 2026 р. 10:20"), [{"story.firstCreated": "2026-04-08T10:20:00Z"}]),
    "date in Hungarian": (dated("2026. április 8., szerda 10:20"), [{"story.firstCreated": "2026-04-08T10:20:00Z"}]),
    "date in Swedish": (dated("onsdag 8 april 2026 kl. 10.20"), [{"story.firstCreated": "2026-04-08T10:20:00Z"}]),
    "date in Romanian": (dated("miercuri, 8 aprilie 2026, 10:20"), [{"story.firstCreated": "2026-04-08T10:20:00Z"}]),
    "date in Chinese halves": (dated("2026年4月8日 下午3:20"), [{"story.firstCreated": "2026-04-08T15:20:00Z"}]),
    "date with a zone in words": (dated("Wed, 08 Apr 2026 10:20:00 (Central European Summer Time)"), [{"headline": "Ferry"}]),
    # wires
    "NewsML 1.2: an alert in CDATA": (newsml(f"<NewsComponent><NewsLines><HeadLine></HeadLine></NewsLines>{LANGUAGE}<ContentItem><MediaType FormalName='Text'/><DataContent><![CDATA[LUND CROSS (QNA) - Bakers of Lund Cross end their strike, union says]]></DataContent></ContentItem></NewsComponent>", management="<NewsItemType FormalName='Alert'/><Status FormalName='Usable'/><Urgency FormalName='1'/>"), [{"headline": "Bakers of Lund Cross end their strike, union says"}]),
    "NewsML 1.2: topics of a vocabulary": (newsml(f"<NewsComponent>{HEAD}<DescriptiveMetadata><Language FormalName='en'/><SubjectCode><Subject FormalName='11000000' Vocabulary='urn:newsml:iptc.org:20001006:topicset.iptc-subjectcode:1'/></SubjectCode></DescriptiveMetadata>{nitf_content(COPY)}</NewsComponent>"), [{"story.subjects.uri+": ["http://cv.iptc.org/newscodes/subjectcode/11000000"], "text": PLAIN}]),
    "NewsML 1.2: killed": (newsml(f"<NewsComponent>{HEAD}{LANGUAGE}</NewsComponent>", management="<NewsItemType FormalName='News'/><ThisRevisionCreated>20260302T071500Z</ThisRevisionCreated><Status FormalName='Canceled'/><Instruction FormalName='Delete'/>"), [{"story.pubStatus": "canceled"}]),
    # a headline of its own makes it a story of its own, which the mark had passed over
    "NewsML 1.2: summary, body and infobox": (newsml(f"<NewsComponent>{HEAD}{LANGUAGE}" + part("Summary", "Mill stops.") + f"<NewsComponent><Role FormalName='Main'/>{nitf_content(COPY)}</NewsComponent>" + part("Sidebar", "Rye in figures: 8 crowns.", "Rye in figures") + "</NewsComponent>"), [{"headline": "Mill of Tarnby stops", "text+": PLAIN}, {"headline": "Rye in figures"}]),
    "NewsML 1.2: a table in NITF": (newsml(f"<NewsComponent>{HEAD}{LANGUAGE}" + nitf_content("<p>Prices:</p><table><tr><td>Rye</td><td>8</td></tr><tr><td>Wheat</td><td>9</td></tr></table>") + "</NewsComponent>"), [{"text": "Prices:\n\nRye\t8\nWheat\t9"}]),
    "G2: an embargo in the item": (g2("<headline>Mill stops</headline>", item="<itemClass qcode='ninat:text'/><embargoed>2026-03-02T12:00:00Z</embargoed><pubStatus qcode='stat:usable'/>"), [{"story.embargoedUntil": "2026-03-02T12:00:00Z", "story.pubStatus": "withheld"}]),
    "G2: headlines in two languages": (g2("<headline xml:lang='en'>Mill stops</headline><headline xml:lang='de'>Mühle steht</headline>"), [{"headline": "Mill stops"}]),
    "G2: a picture": ("<newsItem xmlns='http://iptc.org/std/nar/2006-10-01/' guid='urn:q:i' version='1'><itemMeta><itemClass qcode='ninat:picture'/></itemMeta><contentMeta><headline>The mill</headline><description role='drol:caption'>The mill of Tarnby.</description><by>Per Lie</by></contentMeta><contentSet><remoteContent href='https://q.example/m.jpg' contenttype='image/jpeg'/></contentSet></newsItem>", [{"headline": "The mill", "text": "The mill of Tarnby.", "story.type": "picture", "story.by": "Per Lie"}]),
    "NITF: three levels of headline": (nitf(COPY, top="<hedline><hl1>Mill stops</hl1><hl2>Sixty without work</hl2></hedline><abstract><p>In short.</p></abstract>"), [{"headline": "Mill stops", "text": PLAIN}]),
    "NITF: only a title": (nitf(COPY, top="", head="<title>Mill stops</title>"), [{"headline": "Mill stops", "text": PLAIN}]),
    "NITF: a kill in the message": (nitf("<p>Kill.</p>", data="<ed-msg msg-type='kill' info='KILL: wrong owner'/>"), [{"story.pubStatus": "canceled"}]),
    "IPTC 7901: an embargo in English": (wire("qay0071 3 i 147 qay 0791", "mill/", "EMBARGOED UNTIL 1800 GMT MARCH 2\nMill of Tarnby stops =\n\n   Tarnby (qay) - The mill stopped on Monday.\n"), [{"headline": "Mill of Tarnby stops", "story.pubStatus": "withheld"}]),
    "IPTC 7901: a correction line": (wire("qay0072 3 i 147 qay 0792", "mill/", "(Corrects owner in first paragraph)\nMill of Tarnby stops =\n\n   Tarnby (qay) - The mill stopped on Monday.\n"), [{"headline": "Mill of Tarnby stops"}]),
    "IPTC 7901: results": (wire("qay0073 4 s 47 qay 0793", "rowing/results/", "Rowing results =\n\n   Tarnby (qay) - Results on Monday:\n   Lund 3, Tarnby 1\n   Alder 2, Cross 2\n"), [{"headline": "Rowing results", "text+": "Lund 3, Tarnby 1"}]),
    "ANPA: a second add": (anpa("BC-Mill Stops,2nd Add,0100", "^BC-Mill Stops, 2nd Add,0100<\n^LUND CROSS, Mo.: she said.<\n\tRye was dear on Monday.\n\tThe owner hopes for rain.\n"), [{"headline-": "LUND CROSS", "text+": "The owner hopes for rain."}]),
    "ANPA: an advance for a weekday": (anpa("BC-Mill Stops,ADV10,0100", "^BC-Mill Stops, ADV10,0100<\n^$adv10<\n^For release Tuesday, March 10, and thereafter<\n^Eds: With photo.<\n^Mill of Tarnby stops<\n^By EVA LIND<\n\tTARNBY (QNA) _ The mill stopped.\n"), [{"headline": "Mill of Tarnby stops", "story.by": "EVA LIND", "story.pubStatus": "withheld"}]),
    "ANPA: a headline with a colon": (anpa("BC-Mill Stops,0100", "^BC-Mill Stops,0100<\n^TARNBY: Mill stops, sixty out of work<\n\tTARNBY (QNA) _ The mill stopped.\n"), [{"headline": "TARNBY: Mill stops, sixty out of work"}]),
    "ANPA: an elimination": (anpa("BC-Mill Stops,Bulletin Kill,0040", "^BC-Mill Stops, Bulletin Kill,0040<\n^EDITORS:<\n^Kill BC-Mill Stops, moved as a0421. The mill did not stop.<\n^The QNA<\n", priority="b"), [{"story.pubStatus": "canceled"}]),
    "ninjs 3: an English and a plain body": (orjson.dumps({"uri": "urn:n:9", "type": "text", "versionCreated": "2026-03-02T08:15:00Z", "version": 4, "headlines": [{"value": "Mill stops"}], "bodies": [{"contentType": "application/xhtml+xml", "value": f"<div>{COPY}</div>"}], "people": [{"name": "Eva Lind"}]}), [{"headline": "Mill stops", "text": PLAIN, "story.version": "4"}]),
    "ninjs 2: an embargo": (orjson.dumps({"uri": "urn:n:9", "type": "text", "versioncreated": "2026-03-02T08:15:00Z", "embargoed": "2026-03-02T12:00:00Z", "headlines": [{"role": "main", "value": "Mill stops"}], "bodies": [{"role": "main", "contenttype": "text/plain", "value": PLAIN}]}), [{"text": PLAIN, "headline": "Mill stops", "story.pubStatus": "withheld"}]),
    "ninjs: JSON lines": (b"\n".join(orjson.dumps({"uri": f"urn:n:{n}", "type": "text", "headline": f"Mill {n}", "body_text": PLAIN}) for n in (1, 2)), [{"headline": "Mill 1"}, {"headline": "Mill 2"}]),
    "a dispatch with a slug in capitals": (f"MILL-TARNBY\nMill of Tarnby stops\n\nTARNBY, March 2 (QNA) - {PLAIN}\n", [{"headline": "Mill of Tarnby stops"}]),
    "a dispatch with an embargo above": ("EMBARGOED UNTIL 6 p.m. GMT Monday\n\nMill of Tarnby stops\n\nTARNBY, March 2 (QNA) - The mill of Tarnby stopped on Monday, said its owner Eva Lind.\n", [{"headline": "Mill of Tarnby stops", "story.pubStatus": "withheld"}]),
    "mail: forwarded in German": (mail("Subject: WG: Mühle von Tarnby steht still", f"-------- Weitergeleitete Nachricht --------\nBetreff: Mühle von Tarnby steht still\nDatum: Mon, 2 Mar 2026 08:15:00 +0100\nVon: Eva Lind <eva@q.example>\nAn: desk@q.example\n\n{PLAIN}\n"), [{"headline": "Mühle von Tarnby steht still", "text": PLAIN}]),
    "mail: HTML alone with a title": (mail("Subject: Mill of Tarnby stops\nMIME-Version: 1.0\nContent-Type: text/html; charset=utf-8", f"<html><head><title>Mail</title></head><body>{COPY}</body></html>"), [{"headline": "Mill of Tarnby stops", "text": PLAIN}]),
}  # fmt: skip


def test_each_kind_is_read() -> None:
    assert find_faults(CASES) == {}
