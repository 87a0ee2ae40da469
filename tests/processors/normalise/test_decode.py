"""Bytes become the characters that were meant."""

from __future__ import annotations

import pytest

from processors.errors import NotText
from processors.normalise.decode import decode, decode_wire

GERMAN = "Die Fähre nach Alderhafen wird teurer, sagte der Hafenmeister am Donnerstag. Für die Bürger gibt es keine Ermäßigung mehr."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252"])
def test_encodings_are_told_from_the_bytes(encoding: str) -> None:
    assert decode(GERMAN.encode(encoding)) == GERMAN


def test_the_declared_encoding_is_read_and_latin_1_is_windows_1252() -> None:
    russian = "Паром больше не ходит"
    assert decode(russian.encode("koi8-r"), "koi8-r") == russian
    declared = f'<?xml version="1.0" encoding="windows-1251"?><rss>{russian}</rss>'
    assert decode(declared.encode("cp1251")) == declared
    assert decode("“Ferry” – café".encode("cp1252"), "iso-8859-1") == "“Ferry” – café"
    with pytest.raises(NotText):
        decode(b"\x00\x01\x02\x03\x00\x00\x00" * 50)


@pytest.mark.parametrize("encoding", ["cp437", "cp850", "cp1252", "utf-8"])
def test_teleprinter_code_pages_are_told_apart(encoding: str) -> None:
    words = "Le préfet a décidé de fermer le théâtre à Nîmes, où la fête était prévue. Für die Bürger wäre das schön."
    assert decode_wire(words.encode(encoding)) == words


def test_iso_6937_and_national_iso_646() -> None:
    assert decode_wire(
        b"Le pr\xc2efet a d\xc2ecid\xc2e de fermer le th\xc2e\xc3atre \xc1a N\xc3imes, caf\xc2e"
    ) == ("Le préfet a décidé de fermer le théâtre à Nîmes, café")
    assert decode_wire(b"F}r die B}rger in M}nchen wird die Stra~e gr|~er", language="de") == (
        "Für die Bürger in München wird die Straße größer"
    )
    assert decode_wire(b"print {a} [b] for ~x", language="en") == "print {a} [b] for ~x"


def test_a_document_in_32_bits_without_a_mark_is_read() -> None:
    document = '<?xml version="1.0"?><rss/>'
    assert decode(document.encode("utf-32-be")) == decode(document.encode("utf-32-le")) == document
