"""Whether a JSON Schema of today breaks readers or stored messages of an earlier one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]


def breaks(old: Schema, new: Schema) -> list[str]:
    """What a reader of one version can't take of the other; empty where both ways are open.

    Members may be added, as long as nobody must have them. Nothing else may change: a member that goes, another type,
    another value of a closed list, a member that is demanded from now on, or is no longer always there.
    """
    found = list(_compared("", old, new))
    for name in old.get("$defs", {}):
        if name not in new.get("$defs", {}):
            found.append(f"{name} is gone")
        else:
            found += _compared(name, old["$defs"][name], new["$defs"][name])
    return found


def _compared(where: str, old: Schema, new: Schema) -> Iterator[str]:
    for name, told in old.get("properties", {}).items():
        now = new.get("properties", {}).get(name)
        if now is None:
            yield f"{where}.{name} is gone"
        elif _shape(told) != _shape(now):
            yield f"{where}.{name} was {_shape(told)}, and is {_shape(now)}"
    before, after = set(old.get("required", ())), set(new.get("required", ()))
    for name in sorted(after - before):
        yield f"{where}.{name} is demanded, and stored messages lack it"
    for name in sorted(before - after):
        yield f"{where}.{name} may be absent, and old readers count on it"
    if "properties" not in old and _shape(old) != _shape(new):
        yield f"{where} was {_shape(old)}, and is {_shape(new)}"


def _shape(schema: Any) -> Any:
    """A schema without words, its lists in one order."""
    if isinstance(schema, dict):
        return {
            name: _shape(told)
            for name, told in sorted(schema.items())
            if name not in {"description", "title"}
        }
    if isinstance(schema, list):
        return sorted((_shape(each) for each in schema), key=repr)
    return schema
