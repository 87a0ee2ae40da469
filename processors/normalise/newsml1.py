"""NewsML 1.0 to 1.2 (https://iptc.org/std/NewsML/1.2/): one event a text component that a NewsItem carries.

By the elements of its document type: `NewsEnvelope`; `Identification` with `NewsIdentifier` (provider, date, item,
revision and its `PreviousRevision`); `NewsManagement` with `Status`, `Urgency` and `Instruction`; `NewsComponent` with
`NewsLines`, `AdministrativeMetadata`, `RightsMetadata` and `DescriptiveMetadata`; `ContentItem`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from msgspec.structs import replace

from processors.errors import Malformed, Rejected, Unsupported
from processors.model.event import DamageKind, RawItem
from processors.model.story import (
    AltId,
    InfoSource,
    Named,
    PubStatus,
    Story,
    StoryPlace,
    Subject,
    Text,
)
from processors.normalise import nitf
from processors.normalise.newsml1_content import find_nitf, read_content, read_own_markup, read_own_text
from processors.normalise.newsml1_media import associations, is_medium, media_kind, renditions, role_of
from processors.normalise.reading import Document, Format, Reading, Readings
from processors.normalise.text import clean_line, clean_text, with_dateline, without_byline_word
from processors.normalise.values import language_tag, publisher_uri, timestamp, urgency
from processors.normalise.xml import (
    XML_LANG,
    attribute,
    child,
    child_elements,
    descendant_elements,
    language_of,
    local_name,
    parse_xml,
    words_at,
    words_in,
)

_NAME: Final = "newsml-1"
_STATUS: Final[dict[str, PubStatus]] = {
    "usable": "usable", "embargoed": "withheld", "withheld": "withheld", "canceled": "canceled", "cancelled": "canceled",
    "killed": "canceled", "withdrawn": "canceled", "deleted": "canceled", "retracted": "canceled",
}  # fmt: skip
# Roles of the parts of one text: a headline, an introduction and the copy, each a component of its own.
_TITLE: Final = frozenset({"title", "headline"})
_LEADS: Final = frozenset({"lead", "intro", "introduction", "chapeau"})
_BODY: Final = frozenset({"body", "bodytext", "maintext"})
# Roles of texts that stand beside another: they are a story only where there is no other.
_SUMMARIES: Final = frozenset({"summary", "abstract", "synopsis", "teaser", "resume", "brief"})
_ASIDES: Final = _SUMMARIES | {
    "script",
    "shotlist",
    "storyline",
    "dopesheet",
    "transcript",
    "caption",
    "kicker",
}
_REVISION: Final = re.compile(r":\d+[NUAnua]?$")
_URN_PARTS: Final = 4  # ``urn:newsml:provider:…``: what has no more names the provider and no item


def read_items(document: Document) -> Readings:
    """The stories of a document, in its order.

    Raises:
        Malformed: it holds no news items.
    """
    root, damage = parse_xml(document.text)
    items = [root] if local_name(root) == "NewsItem" else list(child_elements(root, "NewsItem"))
    if not items:
        raise Malformed("a NewsML document without NewsItem")
    return [reading for item in items for reading in _stories(item, document.item, damage)]


def _stories(element: Any, item: RawItem, damage: tuple[DamageKind, ...]) -> Iterator[Reading | Rejected]:
    """The stories of an item, then those of the items in its components (NewsML 1.2, section 5.7)."""
    nested = [inner for inner in descendant_elements(element, "NewsItem") if inner is not element]
    if not nested or any(_texts(child(element, "NewsComponent"))):
        yield from _own_stories(element, item, damage)
    for inner in nested:
        yield from _own_stories(inner, item, damage)


def _own_stories(element: Any, item: RawItem, damage: tuple[DamageKind, ...]) -> Iterator[Reading | Rejected]:
    if child(element, "NewsComponent") is None and child(element, "TopicSet") is not None:
        yield Unsupported("a NewsML topic set is no story")
        return
    frame = _frame(element, item)
    texts = list(_texts(child(element, "NewsComponent")))
    if not texts:
        yield _reading_without_text(element, frame, item, damage)
        return
    names = _part_names([component for component, _ in texts])
    for name, (component, text) in zip(names, texts, strict=True):
        story = _with_component(frame, component)
        media = associations(element, item) if name is names[0] else ()
        story = replace(story, associations=media)
        if len(texts) > 1 and frame.uri:
            story = replace(story, uri=publisher_uri(f"{frame.uri}#{name}", "uri", item))
        yield Reading(_NAME, story, _headline(component), text, damage=damage, markup=_markup(component))


def _part_names(components: list[Any]) -> list[str]:
    """A name of each of an item's texts: its own, or its number where two have one."""
    names = [attribute(component, "Euid") or attribute(component, "Duid") for component in components]
    is_named = all(names) and len(set(names)) == len(names)
    return names if is_named else [str(number) for number in range(1, len(names) + 1)]


def _reading_without_text(
    element: Any, frame: Story, item: RawItem, damage: tuple[DamageKind, ...]
) -> Reading:
    """The reading of an item without text content: a picture with its caption, or a cancellation."""
    component = child(element, "NewsComponent")
    kind = next(filter(None, map(media_kind, descendant_elements(component, "ContentItem"))), None)
    story = replace(
        _with_component(frame, component), type=kind or "text", renditions=renditions(component, item)
    )
    caption = next((text.value for text in story.descriptions), "")
    return Reading(_NAME, story, _headline(component), caption, damage=damage)


def _frame(element: Any, item: RawItem) -> Story:
    """What identification and management say of an item (NewsML 1.2, sections 5.3.2 and 5.3.3)."""
    identifier = child(element, "Identification", "NewsIdentifier")
    management = child(element, "NewsManagement")
    public = words_at(identifier, "PublicIdentifier")
    names_item = public and not (
        public.lower().startswith("urn:newsml:") and public.count(":") < _URN_PARTS - 1
    )
    uri = _REVISION.sub("", public) if names_item else _constructed(identifier)
    revision = words_at(identifier, "RevisionId")
    change = child(management, "StatusWillChange")
    return Story(
        uri=publisher_uri(uri, "newsitemid", item) if uri else "",
        type="text",
        version=revision or None,
        first_created=timestamp(words_at(management, "FirstCreated"), item.timezone),
        version_created=timestamp(words_at(management, "ThisRevisionCreated"), item.timezone),
        pub_status=_STATUS.get(_formal_name(child(management, "Status")).lower()),
        embargoed_until=_release(management, change, item),
        urgency=urgency(_formal_name(child(management, "Urgency"))),
        ed_note="\n".join(attribute(each, "FormalName") for each in child_elements(management, "Instruction"))
        or None,
        alt_ids=(*_alt_ids(identifier, public), *_sources_of(management)),
        title=words_at(element, "Identification", "NameLabel") or None,
    )


def _formal_name(element: Any) -> str:
    """The value of an element: its ``FormalName``, or its words where a wire writes it there."""
    return attribute(element, "FormalName") or words_in(element)


def _constructed(identifier: Any) -> str:
    """The identifier ``urn:newsml:<provider>:<date>:<item>`` (RFC 3085), without the revision."""
    parts = [words_at(identifier, name) for name in ("ProviderId", "DateId", "NewsItemId")]
    return "urn:newsml:" + ":".join(parts) if all(parts) else parts[2]


def _alt_ids(identifier: Any, public: str) -> tuple[AltId, ...]:
    pairs = ((public, "publicidentifier"), (words_at(identifier, "NewsItemId"), "newsitemid"))
    return tuple(AltId(value, role) for value, role in pairs if value)


def _sources_of(management: Any) -> Iterator[AltId]:
    """The items that this one was made from or goes with."""
    for element in child_elements(management, "DerivedFrom"):
        if uri := attribute(element, "NewsItem"):
            yield AltId(_REVISION.sub("", uri), "derivedFrom")
    for element in child_elements(management, "AssociatedWith"):
        if uri := attribute(element, "NewsItem"):
            yield AltId(_REVISION.sub("", uri), "associatedWith")


def _release(management: Any, change: Any, item: RawItem) -> str | None:
    """When an embargoed item becomes usable; None where that is not said."""
    if _formal_name(child(management, "Status")).lower() not in {"embargoed", "withheld"}:
        return None
    if attribute(child(change, "FutureStatus"), "FormalName").lower() != "usable":
        return None
    return timestamp(words_at(change, "DateAndTime"), item.timezone)


def _texts(component: Any) -> Iterator[tuple[Any, str]]:
    """The components that are stories, with their texts; of one headline and language the longest.

    A summary, a script or a caption is one only where the item has no other text.
    """
    components = [(part, _text(part)) for part in _components(component)]
    written = [(part, text) for part, text in components if text.strip()]
    stories = [(part, text) for part, text in written if not _is_aside(part)] or written
    best: dict[tuple[str, str], tuple[Any, str]] = {}
    for part, text in stories:
        key = (_headline(part).casefold(), _language(part) or "")
        if key not in best or len(text) > len(best[key][1]):
            best[key] = part, text
    yield from best.values()


def _components(component: Any) -> Iterator[Any]:
    """The components in document order, without media and their captions, and without the parts of one text."""
    if component is None or is_medium(component) or role_of(component) in _TITLE:
        return
    yield component
    inner = [part for part in child_elements(component, "NewsComponent") if part not in _parts(component)]
    if attribute(component, "EquivalentsList").lower() == "yes":
        written = [part for part in inner if _text(part).strip()]
        # forms of one text, of which the first will do; a translation is a text of its own
        inner = list({_language(part): part for part in reversed(written)}.values())[::-1] or inner[:1]
    for part in inner:
        yield from _components(part)


def _parts(component: Any) -> list[Any]:
    """The components that are the introduction and the copy of one text, in this order; none where there is no copy."""
    inner = list(child_elements(component, "NewsComponent"))
    bodies = [part for part in inner if role_of(part) in _BODY]
    return [*(part for part in inner if role_of(part) in _LEADS), *bodies] if bodies else []


def _is_aside(component: Any) -> bool:
    """Whether a component, or one around it, stands beside another text by its role."""
    while component is not None and local_name(component) == "NewsComponent":
        if role_of(component) in _ASIDES:
            return True
        component = component.getparent()
    return False


def _headline(component: Any) -> str:
    """The headline of a component, else the words of its part that is the title, else that of the NITF in it."""
    if line := _line(component, "HeadLine"):
        return line
    titles = (part for part in child_elements(component, "NewsComponent") if role_of(part) in _TITLE)
    if title := clean_line(read_own_text(next(titles, None), "")):
        return title
    root = find_nitf(component)
    return nitf.headlines(root)[0] if root is not None else ""


def _text(component: Any) -> str:
    """The text of a component with its dateline before it: of its own content, or of its parts."""
    dateline = _line(component, "DateLine")
    texts = [text for part in _parts(component) if (text := read_own_text(part, "").strip())]
    if len(texts) > 1 and texts[1].startswith(texts[0]):
        del texts[0]  # an introduction that the copy repeats
    text = max(read_own_text(component, dateline), "\n\n".join(texts), key=len)
    return with_dateline(text, dateline)


def _markup(component: Any) -> str:
    """The markup of a component's own content, or of its parts one after the other."""
    parts = _parts(component)
    return "".join(map(_markup, parts)) if parts else read_own_markup(component)


def _line(component: Any, name: str) -> str:
    """A news line of the component, or of the nearest one around it (NewsML 1.2, section 5.5.2)."""
    while component is not None and local_name(component) == "NewsComponent":
        if line := words_at(component, "NewsLines", name):
            return line
        component = component.getparent()
    return ""


def _around(component: Any, *path: str) -> Any:
    """An element of the component, or of the nearest one around it."""
    while component is not None and local_name(component) == "NewsComponent":
        if (element := child(component, *path)) is not None:
            return element
        component = component.getparent()
    return None


def _with_component(frame: Story, component: Any) -> Story:
    """The frame with what a component's lines and metadata say."""
    about = _around(component, "DescriptiveMetadata")
    places = _about(component, "Location")
    subheads = (clean_line(_line(component, "SubHeadLine")),)
    return replace(
        frame,
        language=_language(component),
        headlines=tuple(Text(line, "subheadline", "text/plain") for line in subheads if line),
        descriptions=(
            *(Text(text, "caption", "text/plain") for text in _captions(component)),
            *(Text(text, "summary", "text/plain") for text in _summaries(component)),
        ),
        by=_byline(component),
        slugline=_line(component, "SlugLine") or None,
        located=next(map(_place, places), None) or _place(about),
        copyright_notice=_line(component, "CopyrightLine")
        or words_in(_around(component, "RightsMetadata", "Copyright"))
        or None,
        copyright_holder=words_in(_around(component, "RightsMetadata", "Copyright", "CopyrightHolder"))
        or None,
        usage_terms=_line(component, "RightsLine")
        or words_in(_around(component, "RightsMetadata", "UsageRights"))
        or None,
        info_sources=_info_sources(component),
        subjects=_subjects(component),
        genres=tuple(
            Named(name)
            for name in dict.fromkeys(attribute(genre, "FormalName") for genre in _about(component, "Genre"))
            if name
        ),
        places=tuple(dict.fromkeys(StoryPlace(name) for name in map(_place, places) if name)),
    )


def _about(component: Any, name: str) -> list[Any]:
    """The elements of a name in the nearest descriptive metadata that have some."""
    while component is not None and local_name(component) == "NewsComponent":
        if elements := list(child_elements(child(component, "DescriptiveMetadata"), name)):
            return elements
        component = component.getparent()
    return []


def _byline(component: Any) -> str | None:
    if line := without_byline_word(_line(component, "ByLine"), of_element=True):
        return line
    root = find_nitf(component)
    return nitf.byline(root) if root is not None else None


def _language(component: Any) -> str | None:
    """The language of a component: as its metadata say, else as ``xml:lang`` on it or around it."""
    declared = next((attribute(element, "FormalName") for element in _about(component, "Language")), "")
    near = (
        component.get("{xml}lang") if component is not None else ""
    )  # of a prefix that a writer made up for "xml"
    return language_tag(declared) or language_tag(near or language_of(component))


def _captions(component: Any) -> Iterator[str]:
    for part in descendant_elements(component, "NewsComponent"):
        if role_of(part) == "caption":
            for content in descendant_elements(part, "ContentItem"):
                if text := clean_text(read_content(content)):
                    yield text


def _summaries(component: Any) -> Iterator[str]:
    """The summaries beside a story: of the components next to it, unless it is one itself."""
    around = component.getparent() if component is not None else None
    if around is None or _is_aside(component):
        return
    for part in child_elements(around, "NewsComponent"):
        if (
            role_of(part) in _SUMMARIES
            and part is not component
            and (text := clean_text(read_own_text(part, "")))
        ):
            yield text


def _place(location: Any) -> str | None:
    """The name of a place: city, area and country."""
    if location is None:
        return None
    values = {
        attribute(element, "FormalName").lower(): attribute(element, "Value")
        for element in child_elements(location, "Property")
    }
    levels = ("city", "countryarea", "country", "countryname")
    names = [values[name] for name in levels if values.get(name)]
    if not names and local_name(location) == "Location":
        names = [value for value in values.values() if value]
    return ", ".join(names) or None


def _info_sources(component: Any) -> tuple[InfoSource, ...]:
    """Who supplied the item: credit line, provider, source."""
    meta = _around(component, "AdministrativeMetadata")
    names = [(_line(component, "CreditLine"), "credit")]
    for name in ("Provider", "Source"):
        names += [
            (attribute(party, "FormalName") or words_in(party), name.lower())
            for element in child_elements(meta, name)
            for party in child_elements(element, "Party")
        ]
    sources: dict[str, InfoSource] = {}
    for name, role in names:
        if name:
            sources.setdefault(name, InfoSource(name, role))
    return tuple(sources.values())


def _subjects(component: Any) -> tuple[Subject, ...]:
    """The subjects: codes with those above them, keyword lines and properties that are keywords."""
    subjects = []
    names = _names(component)
    for code in _about(component, "SubjectCode"):
        parts = (
            element for element in code if isinstance(element.tag, str) and attribute(element, "FormalName")
        )
        subjects += [_subject(element, names) for element in parts]
    lines = [words_in(line) for line in child_elements(_around(component, "NewsLines"), "KeywordLine")]
    lines += [
        attribute(element, "Value")
        for element in _about(component, "Property")
        if attribute(element, "FormalName").lower() == "keyword"
    ]
    subjects += [Subject(word.strip()) for line in lines for word in re.split(r"[,;/]", line) if word.strip()]
    return tuple(dict.fromkeys(subjects))


def _names(component: Any) -> dict[str, str]:
    """The names of codes in a component's topic sets, in its language if they have it (section 5.6)."""
    wanted = attribute(child(_around(component, "DescriptiveMetadata"), "Language"), "FormalName").lower()
    names: dict[str, str] = {}
    for topic in descendant_elements(_around(component, "TopicSet"), "Topic"):
        names_by_language = {
            (description.get(XML_LANG) or "").lower(): words_in(description)
            for description in child_elements(topic, "Description")
            if attribute(description, "Variant") in {"", "Name"}
        }
        if name := names_by_language.get(wanted) or next(iter(names_by_language.values()), ""):
            names[words_at(topic, "FormalName")] = name
    return names


def _subject(element: Any, names: dict[str, str]) -> Subject:
    code, scheme = (
        attribute(element, "FormalName"),
        attribute(element, "Scheme") or attribute(element, "Vocabulary"),
    )
    if re.fullmatch(r"\d{8}", code):
        return Subject(names.get(code), literal=code)
    return Subject(code, literal=f"{scheme}:{code}" if scheme else None)


FORMAT: Final = Format(
    name=_NAME, read=read_items, roots={"newsml": ("NewsItem",)}, media_types=("text/vnd.iptc.newsml",)
)
