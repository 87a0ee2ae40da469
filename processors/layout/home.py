"""The zone in which an agency's times of the day are read, where its copy names none."""

from __future__ import annotations

from typing import Final
from zoneinfo import ZoneInfo

from processors.layout.agencies import conventions
from processors.layout.dateline import located
from processors.layout.lines import split_lines
from processors.layout.printed import match_dateline

LINES: Final = 40  # in which the dateline is looked for


def home_zone(text: str) -> ZoneInfo | None:
    """The zone of the agency whose dateline opens the text, told in `config/lexicon/agencies.toml`.

    None where the lexicon knows no zone, or where the story is filed from another country: its hour may be that one's.
    """
    for line in split_lines(text, LINES)[0]:
        found = match_dateline(text, line.start, line.end)
        if found is None or found.agency not in conventions().zones:
            continue
        home = conventions().homes.get(found.agency)
        if all(located(place, home).country in (home, None) for place in found.places):
            return ZoneInfo(conventions().zones[found.agency])
        return None
    return None
