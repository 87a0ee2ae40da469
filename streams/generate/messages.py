"""Generates the desk's catalogues: what templates and code say, into each ``.po`` and from there into its ``.mo``.

A translator fills in the ``.po`` files of ``sinks/desk/locale``; what a page no longer says goes, what is new is empty
until somebody translates it, and stands in English on the page.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from sinks.desk.display import LANGUAGE_NAMES, LOCALE_FOLDER, MESSAGE_DOMAIN

DESK_FOLDER: Final = LOCALE_FOLDER.parent
EXTRACTION_METHODS: Final = [("templates/**.html", "jinja2.ext:babel_extract"), ("**.py", "python")]
EXTRACTION_OPTIONS: Final = {"templates/**.html": {"trimmed": "true", "silent": "false"}}
MESSAGE_KEYWORDS: Final = {"_": None, "gettext": None, "ngettext": (1, 2), "mark_message": None}
# One date for all runs, so that the same messages give the same bytes.
WRITTEN_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
TRANSLATED_LANGUAGES: Final = tuple(language for language in LANGUAGE_NAMES if language != "en")


def extract_messages() -> Catalog:
    """What the desk's templates and code say, as an empty catalogue."""
    catalog = Catalog()
    for _, _, message, comments, context in extract_from_dir(
        str(DESK_FOLDER), EXTRACTION_METHODS, EXTRACTION_OPTIONS, keywords=MESSAGE_KEYWORDS
    ):
        catalog.add(message, auto_comments=comments, context=context)
    return catalog


def catalog_path(language: str) -> Path:
    """The file that a translator edits."""
    return LOCALE_FOLDER / language / "LC_MESSAGES" / f"{MESSAGE_DOMAIN}.po"


def read_catalog(language: str) -> Catalog:
    """The catalogue of a language; an empty one where there is none yet."""
    path = catalog_path(language)
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def update_catalog(language: str, template: Catalog) -> tuple[bytes, bytes]:
    """The ``.po`` and ``.mo`` of a language with the messages of `template` and the translations that stand there."""
    catalog, present = (
        Catalog(
            language,
            project="wiredesk",
            version="desk",
            creation_date=WRITTEN_AT,
            revision_date=WRITTEN_AT,
            fuzzy=False,
        ),
        read_catalog(language),
    )
    for message in template:
        if message.id:
            known = present.get(message.id)
            catalog.add(message.id, known.string if known else None)
    catalog.header_comment = f"# What the desk says, in {LANGUAGE_NAMES[language]}."
    source, compiled = io.BytesIO(), io.BytesIO()
    write_po(source, catalog, width=0, no_location=True, sort_output=True)
    write_mo(compiled, catalog)
    return source.getvalue(), compiled.getvalue()


def find_untranslated(language: str) -> Iterator[str]:
    """The messages without a translation."""
    catalog = read_catalog(language)
    for message in extract_messages():
        present = catalog.get(message.id) if message.id else None
        strings = present.string if present else ""
        if message.id and not all(strings if isinstance(strings, tuple | list) else (strings,)):
            yield message.id if isinstance(message.id, str) else message.id[0]


def main() -> None:
    """Write every catalogue, and say what is not translated."""
    template = extract_messages()
    for language in TRANSLATED_LANGUAGES:
        path = catalog_path(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        source, compiled = update_catalog(language, template)
        path.write_bytes(source)
        path.with_suffix(".mo").write_bytes(compiled)
        for text in find_untranslated(language):
            sys.stderr.write(f"{language}: not translated: {text}\n")


if __name__ == "__main__":
    main()
