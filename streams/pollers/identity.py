"""Which entries of a document are new, which are revisions, which say nothing new.

An entry has several names, none of them sure: guids change with a suffix or a tracking parameter, are empty, or are
given to two entries; links move. So identity is a set of keys. A key that two entries of one document share tells
nothing and is never trusted again. Entries are matched to those known key by key, the surest first, one to one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Final

import xxhash

from processors.normalise.values import made_uri, uri_or_none
from streams.pollers.documents import Document
from streams.pollers.entries import EntryContent, canonical_url, hash_text, read_json_entry, read_xml_entry
from streams.pollers.state import MAX_OLDER_VERSIONS, FeedState, KnownEntry

KINDS: Final = ("guid", "canonical guid", "link", "enclosure", "title and date", "text")
GUID, CANONICAL, LINK, ENCLOSURE, DATED, TEXT = range(len(KINDS))
MAX_VERSIONS: Final = 24  # of one entry; a feed that changes an entry more often is capped
MAX_SHARED: Final = 64
KEPT: Final = 60  # entries remembered after they left, and three documents' worth at least
LONG_TEXT: Final = 200  # characters from which a text alone tells an entry


@dataclass(frozen=True, slots=True)
class Change:
    """An entry to hand on: its bytes, and the identity that it has from now on."""

    entry: bytes
    uri: str
    version: int


@dataclass(slots=True)
class Comparison:
    """What a document brought. `overlap` is whether any of its entries was known since the last whole document."""

    changes: list[Change] = field(default_factory=list)
    known: list[KnownEntry] = field(default_factory=list)
    shared: list[int] = field(default_factory=list)
    overlap: bool = False
    new: int = 0
    capped: int = 0


@dataclass(slots=True)
class _Candidate:
    """An entry of the document on its way to being matched."""

    raw: bytes
    hash: int
    entry: EntryContent
    keys: list[int]
    known: KnownEntry | None = None


def compare(document: Document, state: FeedState, source: str, now: float) -> Comparison:
    """Match a document's entries with those known; `source` stands in URIs that are made, `now` in seconds.

    Entries whose bytes were seen before are not even read.
    """
    by_raw = {known.raw: known for known in state.entries if known.raw}
    present: list[KnownEntry] = []
    standing: set[int] = set()  # ids of those present
    candidates: list[_Candidate] = []
    hashes: set[int] = set()
    for place, raw in enumerate(document.entries):
        hash_ = xxhash.xxh3_64_intdigest(raw) or 1
        if hash_ in hashes:
            continue
        hashes.add(hash_)
        if known := by_raw.get(hash_):
            present.append(known)
            standing.add(id(known))
        else:
            entry = (
                read_json_entry(document.objects[place])
                if document.json
                else read_xml_entry(raw, document.codec)
            )
            candidates.append(_Candidate(raw, hash_, entry, keys_of(entry)))
    result = Comparison(shared=_shared(present, candidates, state.shared))
    unsure = frozenset(result.shared)
    candidates = _distinct(candidates)
    for each in candidates:
        each.keys = [0 if key in unsure else key for key in each.keys]
    _match(candidates, [known for known in state.entries if id(known) not in standing], bool(unsure))
    _settle(result, present, candidates, state, source)
    result.known = _remembered(state, present, candidates, now, unsure)
    return result


def keys_of(entry: EntryContent) -> list[int]:
    """The hashes of an entry's names, in the order of `KINDS`; 0 for one that it lacks."""
    keys = [0] * len(KINDS)
    if entry.guid:
        keys[GUID] = hash_text(entry.guid)
        keys[CANONICAL] = hash_text(canonical_url(entry.guid) or entry.guid)
    if link := canonical_url(entry.link):
        keys[LINK] = hash_text(link)
    if entry.enclosure:
        keys[ENCLOSURE] = hash_text(canonical_url(entry.enclosure) or entry.enclosure)
    if entry.title and entry.date:
        keys[DATED] = hash_text(f"{entry.title}\0{entry.date}")
    if len(entry.text) >= LONG_TEXT:
        keys[TEXT] = hash_text(entry.text)
    return keys


def _shared(
    present: Sequence[KnownEntry], candidates: Sequence[_Candidate], before: Sequence[int]
) -> list[int]:
    """The keys that two entries of one document have, now or earlier."""
    once: set[int] = set()
    often: dict[int, None] = {}
    for keys in chain((known.keys for known in present), (each.keys for each in candidates)):
        for key in set(keys):
            if key in once:
                often[key] = None
            else:
                once.add(key)
    often.pop(0, None)
    found = list(often)
    return [*dict.fromkeys([*before, *found])][-max(MAX_SHARED, len(found)) :]


def _distinct(candidates: list[_Candidate]) -> list[_Candidate]:
    """Without entries that stand twice in the document: same names, same words."""
    seen: set[tuple[str, str, int]] = set()
    kept = []
    for each in candidates:
        name = (
            canonical_url(each.entry.guid) or each.entry.guid,
            canonical_url(each.entry.link),
            each.entry.content_hash,
        )
        if name not in seen:
            seen.add(name)
            kept.append(each)
    return kept


def _match(candidates: Sequence[_Candidate], free: list[KnownEntry], doubtful: bool) -> None:
    """Give each candidate the known entry that it is, the surest key first; no entry is given twice."""
    for kind in range(len(KINDS)):
        by_key = {known.keys[kind]: known for known in free if known.keys[kind]}
        for each in candidates:
            known = by_key.get(each.keys[kind]) if each.known is None and each.keys[kind] else None
            if known is not None and _agrees(each, known, kind, doubtful):
                each.known = known
                del by_key[each.keys[kind]]
        taken = {id(each.known) for each in candidates if each.known}
        free[:] = [known for known in free if id(known) not in taken]


def _agrees(each: _Candidate, known: KnownEntry, kind: int, doubtful: bool) -> bool:
    """Whether one key is enough: names that are sure do not contradict it, or the words bear it out."""
    if kind == TEXT or (kind in {GUID, CANONICAL} and not doubtful):
        return True
    others = {GUID: (LINK,), CANONICAL: (LINK,), LINK: (CANONICAL,)}.get(kind, (CANONICAL, LINK))
    differ = [
        each.keys[other] and known.keys[other] and each.keys[other] != known.keys[other] for other in others
    ]
    if not any(differ):
        return True
    same = [other for other in (DATED, TEXT) if other != kind and each.keys[other] == known.keys[other] != 0]
    return bool(same) or each.entry.content_hash == known.content


def _settle(
    result: Comparison,
    present: list[KnownEntry],
    candidates: Sequence[_Candidate],
    state: FeedState,
    source: str,
) -> None:
    """Turn matched and unmatched candidates into changes."""
    uris = {known.uri for known in state.entries}
    before = chain(present, (each.known for each in candidates if each.known))
    result.overlap = any(known.uri not in state.cut for known in before)
    for each in candidates:
        content = each.entry.content_hash
        if each.known is None:
            uri = _uri(each, source, uris)
            uris.add(uri)
            each.known = KnownEntry(uri, 1, each.hash, content, tuple(each.keys))
            result.changes.append(Change(each.raw, uri, 1))
            result.new += 1
        elif content != each.known.content and content not in each.known.older:
            if each.known.version >= MAX_VERSIONS:
                result.capped += 1
            else:
                each.known = _revised(each.known, content)
                result.changes.append(Change(each.raw, each.known.uri, each.known.version))


def _revised(known: KnownEntry, content: int) -> KnownEntry:
    older = (known.content, *known.older)[:MAX_OLDER_VERSIONS]
    return replace(known, version=known.version + 1, content=content, older=older)


def _uri(each: _Candidate, source: str, taken: set[str]) -> str:
    """The publisher's identifier, else one made from it, else one made from the words; never one that is taken."""
    entry = each.entry
    made = []
    if entry.guid and each.keys[GUID]:
        made.append(uri_or_none(entry.guid) or made_uri("guid", source, entry.guid))
    if each.keys[LINK] and (link := uri_or_none(entry.link)):
        made.append(link)
    made.append(made_uri("content", source, f"{entry.content_hash:016x}"))
    made.append(made_uri("content", source, f"{each.hash:016x}{entry.content_hash:016x}"))
    return next((uri for uri in made if uri not in taken), made[-1])


def _remembered(
    state: FeedState,
    present: Sequence[KnownEntry],
    candidates: Sequence[_Candidate],
    now: float,
    unsure: frozenset[int],
) -> list[KnownEntry]:
    """The entries of the document, then those that left it, the latest first, as many as are kept."""
    here = [_standing(known, known.raw, known.keys, unsure) for known in present]
    here += [_standing(each.known, each.hash, each.keys, unsure) for each in candidates if each.known]
    uris = {known.uri for known in here}
    room = max(KEPT, 2 * len(here))
    gone = [replace(each, left=each.left or int(now)) for each in state.entries if each.uri not in uris]
    gone.sort(key=lambda known: -known.left)
    return here + gone[:room]


def _standing(known: KnownEntry, raw: int, keys: Sequence[int], unsure: frozenset[int]) -> KnownEntry:
    """A known entry as it stands in the document now, without the keys that tell nothing."""
    latest = keys if keys is known.keys else [new or old for new, old in zip(keys, known.keys, strict=True)]
    sure = tuple([0 if key in unsure else key for key in latest])
    if raw == known.raw and not known.left and sure == known.keys:
        return known
    return replace(known, raw=raw, keys=sure, left=0)
