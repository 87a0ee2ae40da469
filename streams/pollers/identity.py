"""Which entries of a document are new, which are revisions, which say nothing new.

An entry has several names, none of them sure: guids change with a suffix or a tracking parameter, are empty, or are
given to two entries; links move. So identity is a set of keys. A key that two entries of one document share tells
nothing and is never trusted again. Entries are matched to those remembered key by key, the surest first, one to one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Final

import xxhash

from processors.normalise.values import uri_or_none
from processors.sources import made_uri, short_uri
from streams.pollers.documents import FeedDocument
from streams.pollers.entries import EntryContent, canonical_url, hash_text, read_json_entry, read_xml_entry
from streams.pollers.state import MAX_OLDER_VERSIONS, FeedState, KnownEntry

KEY_KINDS: Final = ("guid", "canonical guid", "link", "enclosure", "title and date", "text")
GUID_KEY, CANONICAL_KEY, LINK_KEY, ENCLOSURE_KEY, DATED_KEY, TEXT_KEY = range(len(KEY_KINDS))
MAX_ENTRY_VERSIONS: Final = 24  # a feed that changes an entry more often (tickers, counters) is capped
MAX_SHARED_KEYS: Final = (
    64  # remembered of a feed; the oldest go, and are found again when two entries have them
)
MIN_LEFT_ENTRIES: Final = (
    60  # remembered after they left, and three documents' worth at least: fewer come back as new
)
MIN_TELLING_CHARS: Final = (
    200  # of a text that alone identifies an entry; shorter ones are shared by standing notices
)


@dataclass(frozen=True, slots=True)
class EntryChange:
    """An entry to hand on: its bytes, and the identity that it has from now on."""

    entry: bytes
    uri: str
    version: int


@dataclass(slots=True)
class Comparison:
    """What is new in a document. `overlap` is whether any of its entries was known since the last whole document."""

    changes: list[EntryChange] = field(default_factory=list)
    entries: list[KnownEntry] = field(default_factory=list)
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
    match: KnownEntry | None = None


def compare(document: FeedDocument, state: FeedState, source: str, now: float) -> Comparison:
    """Match a document's entries with those known; `source` stands in URIs that are made, `now` in seconds.

    Entries whose bytes were seen before are not even read.
    """
    by_raw = {entry.raw: entry for entry in state.entries if entry.raw}
    present: list[KnownEntry] = []
    standing: set[int] = set()  # ids of those present
    candidates: list[_Candidate] = []
    hashes: set[int] = set()
    for place, raw in enumerate(document.entries):
        hash_ = xxhash.xxh3_64_intdigest(raw) or 1
        if hash_ in hashes:
            continue
        hashes.add(hash_)
        if known_entry := by_raw.get(hash_):
            present.append(known_entry)
            standing.add(id(known_entry))
        else:
            entry = (
                read_json_entry(document.objects[place])
                if document.json
                else read_xml_entry(raw, document.codec)
            )
            candidates.append(_Candidate(raw, hash_, entry, keys_of(entry)))
    result = Comparison(shared=_shared_keys(present, candidates, state.shared))
    unsure = frozenset(result.shared)
    candidates = _without_repeats(candidates)
    for candidate in candidates:
        candidate.keys = [0 if key in unsure else key for key in candidate.keys]
    _match_entries(candidates, [entry for entry in state.entries if id(entry) not in standing], bool(unsure))
    _add_changes(result, present, candidates, state, source)
    result.entries = _entries_to_remember(state, present, candidates, now, unsure)
    return result


def keys_of(entry: EntryContent) -> list[int]:
    """The hashes of an entry's names, in the order of `KEY_KINDS`; 0 for one that it lacks."""
    keys = [0] * len(KEY_KINDS)
    if entry.guid:
        keys[GUID_KEY] = hash_text(entry.guid)
        keys[CANONICAL_KEY] = hash_text(canonical_url(entry.guid) or entry.guid)
    if link := canonical_url(entry.link):
        keys[LINK_KEY] = hash_text(link)
    if entry.enclosure:
        keys[ENCLOSURE_KEY] = hash_text(canonical_url(entry.enclosure) or entry.enclosure)
    if entry.title and entry.date:
        keys[DATED_KEY] = hash_text(f"{entry.title}\0{entry.date}")
    if len(entry.text) >= MIN_TELLING_CHARS:
        keys[TEXT_KEY] = hash_text(entry.text)
    return keys


def _shared_keys(
    present: Sequence[KnownEntry], candidates: Sequence[_Candidate], before: Sequence[int]
) -> list[int]:
    """The keys that two entries of one document have, now or earlier."""
    once: set[int] = set()
    often: dict[int, None] = {}
    for keys in chain((entry.keys for entry in present), (candidate.keys for candidate in candidates)):
        for key in set(keys):
            if key in once:
                often[key] = None
            else:
                once.add(key)
    often.pop(0, None)
    shared = list(often)
    return [*dict.fromkeys([*before, *shared])][-max(MAX_SHARED_KEYS, len(shared)) :]


def _without_repeats(candidates: list[_Candidate]) -> list[_Candidate]:
    """Without entries that stand twice in the document: same names, same words."""
    seen: set[tuple[str, str, int]] = set()
    kept = []
    for candidate in candidates:
        name = (
            canonical_url(candidate.entry.guid) or candidate.entry.guid,
            canonical_url(candidate.entry.link),
            candidate.entry.content_hash,
        )
        if name not in seen:
            seen.add(name)
            kept.append(candidate)
    return kept


def _match_entries(candidates: Sequence[_Candidate], free: list[KnownEntry], doubtful: bool) -> None:
    """Give each candidate the known entry that it is, the surest key first; no entry is given twice."""
    for kind in range(len(KEY_KINDS)):
        by_key = {entry.keys[kind]: entry for entry in free if entry.keys[kind]}
        for candidate in candidates:
            entry = (
                by_key.get(candidate.keys[kind]) if candidate.match is None and candidate.keys[kind] else None
            )
            if entry is not None and _is_same_entry(candidate, entry, kind, doubtful):
                candidate.match = entry
                del by_key[candidate.keys[kind]]
        taken = {id(candidate.match) for candidate in candidates if candidate.match}
        free[:] = [entry for entry in free if id(entry) not in taken]


def _is_same_entry(candidate: _Candidate, entry: KnownEntry, kind: int, doubtful: bool) -> bool:
    """Whether one key is enough: names that are sure do not contradict it, or the words bear it out."""
    if kind == TEXT_KEY or (kind in {GUID_KEY, CANONICAL_KEY} and not doubtful):
        return True
    others = {GUID_KEY: (LINK_KEY,), CANONICAL_KEY: (LINK_KEY,), LINK_KEY: (CANONICAL_KEY,)}.get(
        kind, (CANONICAL_KEY, LINK_KEY)
    )
    differ = [
        candidate.keys[other] and entry.keys[other] and candidate.keys[other] != entry.keys[other]
        for other in others
    ]
    if not any(differ):
        return True
    same = [
        other
        for other in (DATED_KEY, TEXT_KEY)
        if other != kind and candidate.keys[other] == entry.keys[other] != 0
    ]
    return bool(same) or candidate.entry.content_hash == entry.content


def _add_changes(
    result: Comparison,
    present: list[KnownEntry],
    candidates: Sequence[_Candidate],
    state: FeedState,
    source: str,
) -> None:
    """Turn matched and unmatched candidates into changes."""
    uris = {entry.uri for entry in state.entries}
    before = chain(present, (candidate.match for candidate in candidates if candidate.match))
    result.overlap = any(entry.uri not in state.cut for entry in before)
    for candidate in candidates:
        content = candidate.entry.content_hash
        if candidate.match is None:
            uri = _uri(candidate, source, uris)
            uris.add(uri)
            candidate.match = KnownEntry(uri, 1, candidate.hash, content, tuple(candidate.keys))
            result.changes.append(EntryChange(candidate.raw, uri, 1))
            result.new += 1
        elif content != candidate.match.content and content not in candidate.match.older:
            if candidate.match.version >= MAX_ENTRY_VERSIONS:
                result.capped += 1
            else:
                candidate.match = _revised(candidate.match, content)
                result.changes.append(
                    EntryChange(candidate.raw, candidate.match.uri, candidate.match.version)
                )


def _revised(entry: KnownEntry, content: int) -> KnownEntry:
    older = (entry.content, *entry.older)[:MAX_OLDER_VERSIONS]
    return replace(entry, version=entry.version + 1, content=content, older=older)


def _uri(candidate: _Candidate, source: str, taken: set[str]) -> str:
    """The publisher's identifier, else one made from it, else one made from the words; never one that is taken."""
    entry = candidate.entry
    made = []
    if entry.guid and candidate.keys[GUID_KEY]:
        made.append(short_uri(uri_or_none(entry.guid) or made_uri("guid", source, entry.guid)))
    if candidate.keys[LINK_KEY] and (link := uri_or_none(entry.link)):
        made.append(short_uri(link))
    made.append(made_uri("content", source, f"{entry.content_hash:016x}"))
    made.append(made_uri("content", source, f"{candidate.hash:016x}{entry.content_hash:016x}"))
    return next((uri for uri in made if uri not in taken), made[-1])


def _entries_to_remember(
    state: FeedState,
    present: Sequence[KnownEntry],
    candidates: Sequence[_Candidate],
    now: float,
    unsure: frozenset[int],
) -> list[KnownEntry]:
    """The entries of the document, then those that left it, the latest first, as many as are kept."""
    here = [_standing(entry, entry.raw, entry.keys, unsure) for entry in present]
    here += [
        _standing(candidate.match, candidate.hash, candidate.keys, unsure)
        for candidate in candidates
        if candidate.match
    ]
    uris = {entry.uri for entry in here}
    room = max(MIN_LEFT_ENTRIES, 2 * len(here))
    gone = [
        replace(candidate, left=candidate.left or int(now))
        for candidate in state.entries
        if candidate.uri not in uris
    ]
    gone.sort(key=lambda entry: -entry.left)
    return here + gone[:room]


def _standing(entry: KnownEntry, raw: int, keys: Sequence[int], unsure: frozenset[int]) -> KnownEntry:
    """A known entry as it stands in the document now, without the keys that tell nothing."""
    latest = keys if keys is entry.keys else [new or old for new, old in zip(keys, entry.keys, strict=True)]
    sure = tuple([0 if key in unsure else key for key in latest])
    if raw == entry.raw and not entry.left and sure == entry.keys:
        return entry
    return replace(entry, raw=raw, keys=sure, left=0)
