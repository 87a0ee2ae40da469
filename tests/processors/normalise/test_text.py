"""Clean text, mojibake, HTML, languages and character sets."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.errors import NotText
from processors.normalise.decode import decode, decode_wire
from processors.normalise.html import read_html
from processors.normalise.language import identify_language
from processors.normalise.sniff import sniff
from processors.normalise.text import clean_text, repair_mojibake, without_illegal_references
from processors.normalise.values import language_tag, made_uri, uri_or_none
from tests.processors.normalise.samples import one

GERMAN = "Die Fähre nach Alderhafen wird teurer, sagte der Hafenmeister am Donnerstag. Für die Bürger gibt es keine Ermäßigung mehr."
ENGLISH = "The ferry to Port Alder will cost more, the harbour master said on Thursday. There is no discount for the people of the town."


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


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<p>One <b>two</b>\n three.</p><p>Four</p>", "One two three.\n\nFour"),
        ("a<br>b<br/><br/>c", "a\nb\n\nc"),
        ("<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul><p>d", "- a\n- b\n- c\n\nd"),
        ("<table><tr><th>A</th><th>B</th></tr><tr><td></td><td>2</td></tr></table>", "A\tB\n\t2"),
        ("<figure><img src='a.jpg'><figcaption>Cap</figcaption></figure><p>Text</p>", "Cap\n\nText"),
        ("<script>x()</script><style>p{}</style><p>Seen<img width=1 src=//t></p>", "Seen"),
        ("<a href='/x'>The words</a> stay", "The words stay"),
        ("<pre> a\n   b</pre>", " a\n   b"),
        ("5 < 6 &amp; 7", "5 < 6 & 7"),
        ("<div><div>One</div><div>Two</div></div>", "One\n\nTwo"),
    ],
)
def test_html_keeps_its_structure(markup: str, expected: str) -> None:
    assert clean_text(read_html(markup).text) == expected.rstrip()


def test_a_declared_language_is_believed_unless_the_words_say_otherwise() -> None:
    assert (identify_language(ENGLISH, "en-gb").tag, identify_language(ENGLISH, "en-gb").declared) == (
        "en-GB",
        "en-GB",
    )
    assert identify_language(GERMAN, "en").tag == "de"
    assert identify_language(GERMAN, "en").declared == "en"
    assert identify_language(GERMAN).tag == "de"
    assert identify_language("12 : 7", "fi").tag == "fi"
    assert identify_language("12 : 7").tag == "und"
    assert identify_language(ENGLISH, "not a tag").declared is None


def test_a_short_text_is_less_sure() -> None:
    assert identify_language("Harbour wall").confidence < identify_language(ENGLISH).confidence


@pytest.mark.parametrize(
    ("sent", "expected"),
    [("EN_us", "en-US"), ("zh-hant-tw", "zh-Hant-TW"), ("deu", "deu"), ("x", None), ("", None), ("en us", None), ("de-1996", "de-1996")],
)  # fmt: skip
def test_language_tags_are_canonical(sent: str, expected: str | None) -> None:
    assert language_tag(sent) == expected


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


@pytest.mark.parametrize(
    "text", ["MOSCOW: talks to go on\n\nText.", "Note: to: editors", "< 5 per cent", "From: here on"]
)
def test_prose_is_no_other_format(text: str) -> None:
    assert sniff(text) == "plain-text"


@pytest.mark.parametrize(
    "text", ["a1645 tons of tin\nb a ship took them\n", "eca0003 is the number\n", "abx0012 3 men\n\nText."]
)
def test_prose_that_begins_with_a_number_is_no_wire_message(text: str) -> None:
    assert sniff(text) == "plain-text"


def test_a_document_in_32_bits_without_a_mark_is_read() -> None:
    document = '<?xml version="1.0"?><rss/>'
    assert decode(document.encode("utf-32-be")) == decode(document.encode("utf-32-le")) == document


def test_identifiers_that_are_no_uri_are_made_one() -> None:
    assert uri_or_none(" https://a.example/b?c#d ") == "https://a.example/b?c#d"
    assert uri_or_none("https://a.example:port/") is None
    assert made_uri("guid", "NNA", "a b/ü") == "urn:wiredesk:guid:NNA:a%20b%2F%C3%BC"
    assert uri_or_none(made_uri("guid", None, "x" * 5000)) is not None


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("One <b>pier</b>\nis long.\n \nTwo.", "One pier is long.\n\nTwo."),
        ("<p>One\n\npier.</p>", "One pier."),
        ("One<br>two\n\nthree", "One\ntwo three"),
        ("<pre>One\n\ntwo</pre>", "One\n\ntwo"),
    ],
)
def test_blank_lines_are_paragraphs_where_the_markup_has_none(markup: str, text: str) -> None:
    assert read_html(markup).text == text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<ul><li>One<li>Two<ul><li>Three</ul></ul>", "- One\n- Two\n- Three"),
        ("<p>One<br>two<br><br>three</p>", "One\ntwo\n\nthree"),
        ("<table><tr><td>a<td>b<tr><td>c<td>d</table>", "a\tb\nc\td"),
        ("One <svg><text>hidden</text></svg> two <script>x</script>", "One two"),
        ("<p>One</p><pre>a\n  b</pre><p>two  three</p>", "One\n\na\n  b\n\ntwo three"),
        ("<div>One\x01\x02 two</div>", "One two"),
        ("<ul><li></li></ul>", "- "),
        ("", ""),
    ],
)
def test_markup_is_laid_out_as_it_is_shown(markup: str, text: str) -> None:
    assert read_html(markup).text == text


@given(st.integers(0, 1_200_000), st.sampled_from(["&#{};", "&#{}", "&#x{:x};", "&#X{:X}", "&#00{};"]))
def test_references_to_what_no_text_can_hold_are_dropped(number: int, form: str) -> None:
    sent = f"a{form.format(number)} b"
    legal = (
        number in {9, 10, 13}
        or 32 <= number < 0xD800
        or (0xDFFF < number <= 0x10FFFF and number & 0xFFFE != 0xFFFE)
    )
    assert without_illegal_references(sent) == (sent if legal else "a b")


@pytest.mark.parametrize(
    "text",
    [
        "<America First Guaranteed\nMortgage Fund> said it will pay a dividend.",
        "<ABC.N> said it will pay a dividend.",
        "<Harbour Trust 'A' Shares> rose on Monday.\n\n</end>",
    ],
)
def test_a_company_in_angle_brackets_opens_no_xml(text: str) -> None:
    assert sniff(text) == "plain-text"


@pytest.mark.parametrize(
    "text",
    [
        "<news><item/></news>",
        "<news/>",
        "<?xml version='1.0'?><news>",
        "<a:news xmlns:a='urn:a' b=\"c\"><a:x/></a:news>",
    ],
)
def test_xml_of_no_known_vocabulary_is_told_as_such(text: str) -> None:
    assert sniff(text) == "xml"


@given(st.text(st.one_of(st.sampled_from(" \n\t\r\u00a0\u2003\u3000\u200babé."), st.characters())))
def test_a_clean_text_has_no_blanks_at_the_end_of_a_line_and_stays(text: str) -> None:
    cleaned = clean_text(text)
    assert cleaned == "\n".join(line.rstrip() for line in cleaned.split("\n")).strip("\n")
    assert clean_text(cleaned) == cleaned
