"""Clean text and mojibake."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.normalise.text import clean_text, repair_mojibake, without_illegal_references
from tests.processors.normalise.samples import one


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("One\r\ntwo\rthree", "One\ntwo\nthree"),
        ("\n \n  One  \n\n\n\ttwo\t\n \n", "  One\n\n\n\ttwo"),
        ("Cafe\u0301", "Café"),
        ("a\u200bb\u00adc\ufeffd\x07e\x0cf", "abcdef"),
        ("نامه\u200cها", "نامه\u200cها"),
    ],
)
def test_text_is_cleaned(sent: str, expected: str) -> None:
    assert clean_text(sent) == expected


@given(st.text())
def test_a_clean_text_stays_as_it_is(text: str) -> None:
    assert clean_text(clean_text(text)) == clean_text(text)


@given(
    st.lists(
        st.text("abcé “”—.\t", min_size=1, max_size=20).map(lambda line: line.rstrip() + "x"), min_size=1
    )
)
@settings(deadline=None)  # the first call loads the language model
def test_a_clean_body_comes_through_to_the_letter(lines: list[str]) -> None:
    body = "\n\n".join(lines)
    item = {
        "uri": "a:b",
        "headlines": [{"value": "H"}],
        "bodies": [{"contentType": "text/plain", "value": body}],
    }
    assert one(orjson.dumps(item), format="ninjs").text == body


def test_a_letter_between_quotation_marks_is_no_mojibake() -> None:
    body = "« la vérité”“x"
    assert repair_mojibake(body) == (body, ())


def test_mojibake_of_another_script_is_undone_by_the_word() -> None:
    broken = "Правда".encode().decode("latin-1")
    assert repair_mojibake(broken) == ("Правда", ((0, 6),))


def test_mojibake_is_undone_where_that_is_certain() -> None:
    broken = "Das Café".encode().decode("cp1252") + " schließt.\nDie Mühle auch."
    mended, spans = repair_mojibake(broken)
    assert mended == "Das Café schließt.\nDie Mühle auch."
    assert [mended[start:end] for start, end in spans] == ["é"]
    assert repair_mojibake("AÑO Â Ñu — it’s “fine”") == ("AÑO Â Ñu — it’s “fine”", ())


@given(st.integers(0, 1_200_000), st.sampled_from(["&#{};", "&#{}", "&#x{:x};", "&#X{:X}", "&#00{};"]))
def test_references_to_what_no_text_can_hold_are_dropped(number: int, form: str) -> None:
    sent = f"a{form.format(number)} b"
    legal = (
        number in {9, 10, 13}
        or 32 <= number < 0xD800
        or (0xDFFF < number <= 0x10FFFF and number & 0xFFFE != 0xFFFE)
    )
    assert without_illegal_references(sent) == (sent if legal else "a b")


@given(st.text(st.one_of(st.sampled_from(" \n\t\r\u00a0\u2003\u3000\u200babé."), st.characters())))
def test_a_clean_text_has_no_blanks_at_the_end_of_a_line_and_stays(text: str) -> None:
    cleaned = clean_text(text)
    assert cleaned == "\n".join(line.rstrip() for line in cleaned.split("\n")).strip("\n")
    assert clean_text(cleaned) == cleaned
