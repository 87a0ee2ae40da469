"""Which Media Topic lies under which: a filter or route that names one means those below it as well."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

from config.settings import HERE

CATALOG: Final = HERE / "catalogs" / "media-topics.txt"
PREFIX: Final = "medtop:"


def with_ancestors(codes: Iterable[str]) -> tuple[str, ...]:
    """Topics (``medtop:NNNNNNNN``) and all that lie above them, each once; unknown codes as they are."""
    found: dict[str, None] = {}
    for told in codes:
        code = told
        while code and code not in found:
            found[code] = None
            code = _parents().get(code, "")
    return tuple(found)


def is_known(code: str) -> bool:
    """Whether a Media Topic has this code."""
    return code in _parents()


@cache
def _parents() -> Mapping[str, str]:
    lines = (line.split("\t") for line in CATALOG.read_text("utf-8").splitlines() if not line.startswith("#"))
    return {f"{PREFIX}{line[0]}": f"{PREFIX}{line[1]}" if line[1] else "" for line in lines}
