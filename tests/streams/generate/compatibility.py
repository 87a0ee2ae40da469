"""Whether readers of a released schema can read what a new one describes: it may only add optional members.

Both are JSON Schemas as `processors.model.schema` writes them, or did: objects, arrays, enums and references. What says the
same in two ways is the same: null by ``anyOf`` or by type, a list of a fixed length by ``prefixItems`` or by its bounds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

# What says nothing about values, or nothing that was not so before it was said.
TEXTS: Final = frozenset(
    {"title", "description", "$schema", "$id", "$defs", "format", "minimum", "maximum", "pattern"}
)
NULL: Final = {"type": "null"}
# What every message of the topics that others read has had since 1.0, and the schema says since then.
ALWAYS_SENT: Final = frozenset({".lineage", ".provenance"})

Schema = Mapping[str, Any]


def find_breaks(old: Schema, new: Schema) -> list[str]:
    """What a reader of `old` could stumble over, each with the path of the member; empty where nothing."""
    return list(_breaks(old, new, _Pair(old, new), "", frozenset()))


class _Pair:
    """The two documents that references point into."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self._old, self._new = old, new

    def resolved(self, old: Schema, new: Schema) -> tuple[Schema, Schema]:
        return _resolved(old, self._old), _resolved(new, self._new)


def _resolved(each: Schema, document: Schema) -> Schema:
    """A schema without references, in the one way of saying things that is compared."""
    if "$ref" in each:
        each = document["$defs"][each["$ref"].removeprefix("#/$defs/")]
    either = each.get("anyOf", [])
    if len(either) == 2 and either[1] == NULL:
        rest = _resolved(either[0], document)
        return {**rest, "type": [rest["type"], "null"]} if "type" in rest else each
    if "enum" in each and all(isinstance(value, str) for value in each["enum"]):
        return {"type": "string", **each}
    items = each.get("prefixItems", [])
    if items and all(item == items[0] for item in items):
        return {**{name: value for name, value in each.items() if name != "prefixItems"}, "items": items[0]}
    return each


def _breaks(
    old: Schema, new: Schema, pair: _Pair, path: str, above: frozenset[tuple[str, str]]
) -> Iterator[str]:
    names = (str(old.get("$ref")), str(new.get("$ref")))
    if "$ref" in old and names in above:
        return  # a class that holds itself
    above |= {names}
    old, new = pair.resolved(old, new)
    where = path or "the whole"
    for keyword in sorted(
        (old.keys() | new.keys()) - TEXTS - {"properties", "required", "items", "anyOf", "prefixItems"}
    ):
        if old.get(keyword) != new.get(keyword):
            yield f"{where}: {keyword} was {old.get(keyword)}, is {new.get(keyword)}"
    yield from _members(old, new, pair, path, above)
    if "items" in old or "items" in new:
        yield from _breaks(old.get("items", {}), new.get("items", {}), pair, f"{path}[]", above)
    for keyword in ("anyOf", "prefixItems"):
        before, after = old.get(keyword, []), new.get(keyword, [])
        if len(before) != len(after):
            yield f"{where}: {keyword} had {len(before)} members, has {len(after)}"
        for each, other in zip(before, after, strict=False):
            yield from _breaks(each, other, pair, path, above)


def _members(
    old: Schema, new: Schema, pair: _Pair, path: str, above: frozenset[tuple[str, str]]
) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    for name in sorted(before.keys() - after.keys()):
        yield f"{path}.{name}: removed"
    had, has = set(old.get("required", ())), set(new.get("required", ()))
    for name in sorted((had - has) & after.keys()):
        yield f"{path}.{name}: was always there, is optional"
    for name in sorted(has - had):
        if f"{path}.{name}" in ALWAYS_SENT:
            continue
        yield f"{path}.{name}: must be there, and was not always"
    for name in sorted(before.keys() & after.keys()):
        yield from _breaks(before[name], after[name], pair, f"{path}.{name}", above)
