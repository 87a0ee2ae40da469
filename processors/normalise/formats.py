"""Which module reads which format: the one door."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from config.settings import Normalise
from processors.errors import NotAFeed, Rejected, UnknownFormat
from processors.model.event import RawItem
from processors.normalise import (
    anpa1312,
    dispatch,
    documents,
    feeds,
    g2,
    iptc7901,
    mail,
    newsml1,
    nitf,
    pages,
    xml,
)
from processors.normalise.reading import Reading

Found = list[Reading | Rejected]
Reader = Callable[[str, RawItem, Normalise], Found]


def _json(text: str, item: RawItem, settings: Normalise) -> Found:
    return documents.read(text, item, settings.max_entries)


def _feed(text: str, item: RawItem, settings: Normalise) -> Found:
    return feeds.read(text, item, settings.max_entries)


def _dispatch(text: str, _item: RawItem, _settings: Normalise) -> Found:
    return list(dispatch.read(text))


def _g2(text: str, item: RawItem, _settings: Normalise) -> Found:
    root, damage = xml.parse(text)
    return g2.read(root, item, damage)


def _newsml(text: str, item: RawItem, _settings: Normalise) -> Found:
    root, damage = xml.parse(text)
    return newsml1.read(root, item, damage)


def _nitf(text: str, item: RawItem, _settings: Normalise) -> Found:
    root, damage = xml.parse(text)
    return [replace(nitf.read(root, item), damage=damage)]


def _wire_7901(_text: str, item: RawItem, _settings: Normalise) -> Found:
    return list(iptc7901.read(item))


def _wire_1312(_text: str, item: RawItem, _settings: Normalise) -> Found:
    return list(anpa1312.read(item))


def _mail(_text: str, item: RawItem, _settings: Normalise) -> Found:
    return list(mail.read(item))


def _page(text: str, item: RawItem, _settings: Normalise) -> Found:
    raise NotAFeed(pages.refusal(text, item.url))


def _unknown(text: str, _item: RawItem, _settings: Normalise) -> Found:
    raise UnknownFormat(f"XML of no vocabulary that wiredesk knows: {text.lstrip()[:60]!r}")


READERS: Final[dict[str, Reader]] = {
    "rss": _feed,
    "rdf": _feed,
    "atom": _feed,
    "news-sitemap": _feed,
    "json-feed": _json,
    "ninjs": _json,
    "json": _json,
    "plain-text": _dispatch,
    "newsml-g2": _g2,
    "newsml-1": _newsml,
    "nitf": _nitf,
    "iptc-7901": _wire_7901,
    "anpa-1312": _wire_1312,
    "email": _mail,
    "html": _page,
    "xml": _unknown,
}
