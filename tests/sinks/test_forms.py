"""Stories in the forms of others, read back by others: IPTC's schemas, feedparser, a CMS's own words, and wiredesk."""

from __future__ import annotations

import io
import json
from datetime import datetime
from typing import Any, Final

import feedparser
import orjson
import pytest
from jsonschema import Draft7Validator, Draft202012Validator, FormatChecker
from lxml import etree
from msgspec.structs import replace
from referencing import Registry, Resource

from config.settings import Normalise
from processors.model.event import Event, RawItem
from processors.model.story import (
    AltId,
    InfoSource,
    Named,
    NewsEvent,
    Organisation,
    Person,
    Point,
    Rendition,
    Rights,
    Story,
    StoryPlace,
    Subject,
    Symbol,
    Text,
    TrustIndicator,
)  # fmt: skip
from processors.normalise import normalise
from sinks.export import make_writer
from sinks.forms import FORMS
from sinks.forms.feeds import RELATION_SCHEME
from sinks.forms.ninjs import make_ninjs
from tests.processors.normalise.samples import SHARED
from tests.sinks.events import at, dispatch, event

FULL: Final = replace(
    dispatch(),
    headline="Harbour <opens> & stays\x0b open 😀",
    story=Story(
        "urn:nda:1", type="text", representation_type="full", profile="text", version="2", first_created=at(-60),
        version_created=at(0), content_created=at(-70), pub_status="withheld", embargoed_until=at(60), urgency=3, copyright_holder="NDA",
        copyright_notice="(c) NDA", usage_terms="No archive", ed_note="Adds quote", language="en",
        descriptions=(Text("A harbour opens.", "summary", "text/plain"), Text("Photo lines", "caption")),
        bodies=(Text("<p>Ships <b>came</b> back.</p>", "main", "text/html", 30, 3), Text("Short.", "short", "text/plain")),
        headlines=(Text("Harbour opens", "seo"),),
        people=(Person("Ines Okafor", "about", "https://www.wikidata.org/entity/Q42"), Person("Tomas Lind", literal="t1")),
        organisations=(Organisation("Port NV", symbols=(Symbol("XAMS", "http://symbol.example/type", "PORT"), Symbol("XAMS", symbol="NL01"))),),
        places=(StoryPlace("Veldhaven", geo_json=Point((5.4, 51.4))),),
        subjects=(Subject("ports", uri="http://cv.iptc.org/newscodes/mediatopic/20000343", confidence=80, relevance=7, creator="urn:x:y"),),
        events=(NewsEvent("e1", "Reopening", "about", "urn:event:1"),), objects=(Named("Crane", literal="crane"),),
        info_sources=(InfoSource("NDA", "agency", "urn:agency:nda"),), genres=(Named("Current", uri="http://cv.iptc.org/newscodes/genre/Current"),),
        title="harbour", by="By Tomas Lind", slugline="HARBOUR-VELDHAVEN", located="Veldhaven",
        renditions=(Rendition("main pic", "https://nda.example/1.jpg", "image/jpeg", width=10, height=5, aspect_ratio="2:1"),),
        associations=(
            Story("urn:nda:pic", type="picture", name="pic", renditions=(Rendition("full", "https://nda.example/2.jpg", "image/jpeg", size_in_bytes=12),)),
            Story("urn:nda:event", type="event", name="event", rel="about", places=(StoryPlace("Oslo", uri="https://sws.geonames.org/3143244/"), StoryPlace("X", uri="https://a.example"))),
        ),
        alt_ids=(AltId("https://nda.example/harbour", "link"), AltId("17", "doc-id"), AltId("18", "doc-id"), AltId("19")),
        trust_indicators=(TrustIndicator("http://trust.example/policy/ethics", "Ethics", "https://nda.example/ethics"),),
        expires=at(900), rights_info=Rights(linked_rights="https://nda.example/rights"),
        digital_source_type=Named("Human", uri="http://cv.iptc.org/newscodes/digitalsourcetype/humanEdits"),
    ),
)  # fmt: skip
EVENTS: Final = (
    FULL,
    dispatch(),
    event("urn:a", topics=("medtop:04000000",)),
    event("urn:k", headline="Kill", text="", relation="kill", of="urn:a", chain="urn:a", sequence=2),
    event("urn:bare", headline="", text="One sentence. <b>Not bold</b> & more.\n\nAnother.", language="ar"),
)


def written(name: str, *events: Event) -> bytes:
    stream = io.BytesIO()
    writer = make_writer(name, stream)  # type: ignore[arg-type]
    writer.write(events)
    writer.close()
    return stream.getvalue()


CUT: Final = replace(dispatch(), text="First part of the text.", story=Story("urn:nda:cut"))
BODILESS: Final = replace(dispatch(), text="The whole text. It says <more>.", story=Story("urn:nda:bodiless"))
TEASED: Final = replace(
    dispatch(),
    text="The whole text.",
    story=Story(
        "urn:nda:teased",
        bodies=(Text("<p>Only a teaser.</p>", "teaser", "text/html"), Text("The whole text.", "main")),
    ),
)


@pytest.mark.parametrize("name", sorted(FORMS))
def test_every_form_has_the_text_of_an_event_whose_story_has_it_not(name: str) -> None:
    """Events are cut to a size, or leave out a body that repeats the text."""
    for made, words in ((CUT, b"First part of the text."), (BODILESS, b"The whole text. It says ")):
        assert words in written(name, made), made.story.uri


@pytest.mark.parametrize("name", sorted(FORMS))
def test_every_form_has_the_whole_text_of_a_story_with_a_teaser_once(name: str) -> None:
    whole = written(name, TEASED)
    assert 1 <= whole.count(b"The whole text.") <= 2, "as text and as HTML at most"
    if name in {"rss", "atom", "json-feed"}:
        assert b"Only a teaser" not in whole


def test_a_main_body_that_does_not_say_what_it_is_counts_as_plain() -> None:
    item = make_ninjs(TEASED, "3.1")
    assert [body["value"] for body in item["bodies"]] == ["<p>Only a teaser.</p>", "The whole text."]
    assert make_ninjs(TEASED, "1.6")["charcount"] == len("The whole text.")


def validator(version: str) -> Any:
    path = SHARED / "corpus" / "formats" / "ninjs" / f"ninjs-schema_{version}.json"
    if not path.is_file():
        pytest.skip(f"the IPTC's schema of ninjs {version} is not beside this checkout")
    point = {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}
    registry: Registry[Any] = Registry().with_resources(
        (uri, Resource.from_contents(point))
        for uri in ("https://geojson.org/schema/GeoJSON.json", "https://geojson.org/schema/GeoJSON.json#")
    )
    kind = Draft7Validator if version == "1.6" else Draft202012Validator
    formats = FormatChecker(["date-time", "uri"])
    return kind(orjson.loads(path.read_bytes()), registry=registry, format_checker=formats)


@pytest.mark.parametrize("version", ["1.6", "2.2", "3.1"])
def test_an_item_of_ninjs_is_valid_and_has_the_whole_text(version: Any) -> None:
    faults = [
        f"{made.story.uri} {fault.json_path}: {fault.message[:200]}"
        for made in EVENTS
        for fault in validator(version).iter_errors(orjson.loads(orjson.dumps(make_ninjs(made, version))))
    ]
    assert faults == []


def test_what_ninjs_1_says_is_what_a_cms_of_its_age_reads() -> None:
    item = make_ninjs(FULL, "1.6")
    assert item["headline"] == FULL.headline
    assert item["headline_seo"] == "Harbour opens"
    assert item["body_text"] == FULL.text
    assert item["body_html"] == "<p>Ships <b>came</b> back.</p>"
    assert item["body_short_text"] == "Short."
    assert item["description_text"] == "A harbour opens."
    assert datetime.strptime(item["versioncreated"], "%Y-%m-%dT%H:%M:%SZ").year == 2026  # noqa: DTZ007 -- as the CMS reads it
    assert item["subject"][0]["scheme"] == "http://cv.iptc.org/newscodes/mediatopic/"
    assert item["subject"][0]["code"] == "20000343"
    assert item["infosource"] == [{"name": "NDA", "rel": "agency", "scheme": "urn:agency", "code": "nda"}]
    assert item["associations"]["pic"]["renditions"]["full"]["href"] == "https://nda.example/2.jpg"
    assert item["altids"] == {
        "link": "https://nda.example/harbour",
        "doc_id": "17",
        "doc_id_3": "18",
        "id4": "19",
    }
    bare = make_ninjs(EVENTS[-1], "1.6")
    assert (
        bare["body_html"] == "<p>One sentence. &lt;b&gt;Not bold&lt;/b&gt; &amp; more.</p>\n<p>Another.</p>"
    )


def test_three_versions_asked_at_once_do_not_touch_each_other() -> None:
    versions = ("3.1", "1.6", "2.2")
    alone = {version: written(f"ninjs-{version}", *EVENTS) for version in versions}
    mixed = dict.fromkeys(versions, b"")
    for made in EVENTS:
        for version in versions:
            mixed[version] += written(f"ninjs-{version}", made)
    assert mixed == alone
    assert [json.loads(line)["uri"] for line in alone["1.6"].splitlines()] == [e.story.uri for e in EVENTS]


@pytest.mark.parametrize("name", [name for name in FORMS if name != "jsonfeed"])
def test_wiredesk_reads_its_own_forms_back(name: str) -> None:
    told = [e for e in EVENTS if e.text]
    documents = written(name, *told).splitlines() if name.startswith("ninjs") else [written(name, *told)]
    back = [
        one
        for raw in documents
        for one in normalise(RawItem(raw, at(0)), Normalise())
        if isinstance(one, Event)
    ]
    for one, was in zip(back, told, strict=True):
        assert was.story.uri in {one.story.uri, *(identifier.value for identifier in one.story.alt_ids)}
        assert one.headline.split()[0] == (was.headline or "One").split()[0]
        assert was.text.split()[0] in one.text or "Ships" in one.text


@pytest.mark.parametrize("name", ["rss", "atom"])
def test_feedparser_reads_every_story(name: str) -> None:
    feed = feedparser.parse(written(name, *EVENTS))
    assert not feed.bozo, feed.get("bozo_exception")
    assert [entry.id for entry in feed.entries] == [e.story.uri for e in EVENTS]
    first = feed.entries[0]
    assert first.title_detail.value.endswith("stays open 😀")
    assert first.link == "https://nda.example/harbour"
    assert first.author == "Tomas Lind"
    assert first.content[0].value == "<p>Ships <b>came</b> back.</p>"
    assert first.published_parsed[:5] == (2026, 1, 31, 11, 0)
    assert first.updated_parsed[:5] == (2026, 1, 31, 12, 0)
    terms = [(tag.scheme, tag.term) for tag in feed.entries[3].tags]
    assert (RELATION_SCHEME, "kill") in terms
    assert feedparser.parse(written(name)).entries == []


def test_a_json_feed_has_what_its_version_asks_for() -> None:
    feed = json.loads(written("jsonfeed", *EVENTS))
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert [item["id"] for item in feed["items"]] == [e.story.uri for e in EVENTS]
    assert all(
        "content_html" in item or "content_text" in item or not e.text
        for item, e in zip(feed["items"], EVENTS, strict=True)
    )
    assert feed["items"][0]["authors"] == [{"name": "Tomas Lind"}]
    assert json.loads(written("jsonfeed"))["items"] == []


# The order in which the schema of NewsML-G2 2.31 wants the elements that are written here (``xs:sequence``).
ORDER: Final = {
    "newsItem": ("catalogRef", "rightsInfo", "itemMeta", "contentMeta", "contentSet"),
    "rightsInfo": ("copyrightHolder", "copyrightNotice", "usageTerms"),
    "itemMeta": (
        *(
            "itemClass",
            "provider",
            "versionCreated",
            "firstCreated",
            "embargoed",
            "pubStatus",
            "edNote",
            "signal",
            "expires",
        ),
    ),
    "contentMeta": (
        *(
            "urgency",
            "contentCreated",
            "located",
            "infoSource",
            "creator",
            "altId",
            "language",
            "genre",
            "subject",
        ),
        *("slugline", "headline", "dateline", "by", "description"),
    ),
    "contentSet": ("inlineXML",),
}
ONCE: Final = {
    "itemMeta": set(ORDER["itemMeta"]) - {"edNote", "signal", "expires"},
    "contentMeta": {"urgency", "contentCreated"},
}
NEEDED: Final = {
    "newsItem": {"guid", "version", "standard", "standardversion", "conformance"}, "subject": {"type"},
}  # fmt: skip


def test_an_item_of_newsml_g2_is_built_as_its_schema_says() -> None:
    root = etree.fromstring(written("newsml-g2", *EVENTS))
    assert [etree.QName(child).localname for child in root] == ["header", "itemSet"]
    for element in root.iter("{http://iptc.org/std/nar/2006-10-01/}*"):
        name = etree.QName(element).localname
        children = [etree.QName(child).localname for child in element]
        if name in ORDER:
            assert sorted(children, key=ORDER[name].index) == children, name
            assert not [child for child in ONCE.get(name, ()) if children.count(child) > 1]
        assert set(element.attrib) >= NEEDED.get(name, set())
        assert not {"", None} & {element.get("uri", "x"), element.get("literal", "x")}
    metas = list(root.iter("{*}itemMeta"))
    assert all(
        {"itemClass", "provider", "versionCreated"} <= {etree.QName(c).localname for c in meta}
        for meta in metas
    )
