"""Addresses of what a story names in the open data of others: Wikidata and GeoNames.

Only what is certain is linked: a country by its code, a Media Topic by its code, a place by its GeoNames id. The items
of Wikidata stand in ``config/catalogs/wikidata.txt``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from config.files import CONFIG_FOLDER

CATALOG: Final = CONFIG_FOLDER / "catalogs" / "wikidata.txt"
GEONAMES_URI: Final = "https://sws.geonames.org/{}/"
WIKIDATA_URI: Final = "https://www.wikidata.org/entity/{}"


def geonames_uri(geoname_id: int | None) -> str | None:
    """The address of a place."""
    return None if geoname_id is None else GEONAMES_URI.format(geoname_id)


def wikidata_uri(code: str | None) -> str | None:
    """The address of a country (ISO 3166-1 alpha-2) or a Media Topic (eight digits); None for an unknown one."""
    item = _items().get(code or "")
    return None if item is None else WIKIDATA_URI.format(item)


@cache
def _items() -> Mapping[str, str]:
    lines = (line for line in CATALOG.read_text("utf-8").splitlines() if not line.startswith("#"))
    return dict(line.split("\t") for line in lines)
