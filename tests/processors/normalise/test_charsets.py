"""Encodings that nobody declared, or declared wrongly, are read from the bytes."""

from __future__ import annotations

import pytest

from processors.model.event import Damage
from processors.normalise.charsets import codec_of, decode_as
from processors.normalise.decode import choose_codec, decode, decode_unmarked, decode_wire
from processors.normalise.letters import rank_code_pages
from tests.processors.normalise.samples import one

COPY = {
    "ru": "Маяк на мысе Верном снова светит: смотритель починил лампу, и лодки вернулись к причалу до темноты.",
    "uk": "Маяк на мисі Вірному знову світить: доглядач полагодив лампу, і човни повернулися до причалу ще завидна.",
    "bg": "Фарът на нос Верен отново свети: пазачът поправи лампата и лодките се върнаха на кея преди мръкване.",
    "el": "Ο φάρος στο ακρωτήρι άναψε ξανά: ο φύλακας επισκεύασε τη λάμπα και οι βάρκες γύρισαν στην προβλήτα πριν νυχτώσει.",
    "he": "המגדלור בכף הצפוני מאיר שוב: השומר תיקן את המנורה והסירות חזרו אל הרציף לפני רדת החשכה.",
    "ar": "عاد الفنار عند الرأس الشمالي إلى العمل: أصلح الحارس المصباح ورجعت القوارب إلى الرصيف قبل حلول الظلام.",
    "th": "ประภาคารที่แหลมเหนือกลับมาส่องแสงอีกครั้ง ผู้ดูแลซ่อมตะเกียงแล้ว และเรือกลับเข้าท่าก่อนค่ำ",
    "pl": "Latarnia na przylądku znów świeci: strażnik naprawił żarówkę, a łodzie wróciły do przystani jeszcze przed zmrokiem.",
    "cs": "Maják na mysu opět svítí: strážce opravil žárovku a čluny se vrátily k přístavišti ještě před setměním.",
    "hu": "A fokon álló világítótorony újra fénylik: az őr megjavította az égőt, és a csónakok sötétedés előtt kikötöttek.",
    "tr": "Burundaki deniz feneri yeniden ışık veriyor: bekçi lambayı onardı, tekneler de hava kararmadan iskeleye döndü.",
    "lt": "Švyturys iškyšulyje vėl šviečia: prižiūrėtojas pataisė lempą, o valtys grįžo į prieplauką dar prieš sutemas.",
    "fr": "Le phare du cap éclaire à nouveau : le gardien a réparé la lampe, et les barques sont rentrées à l'embarcadère.",
    "de": "Der Leuchtturm am Kap brennt wieder: Der Wärter hat die Lampe geflickt, und die Kähne kehrten früh zurück.",
}  # fmt: skip


@pytest.mark.parametrize(
    ("language", "pages"),
    [
        ("ru", "cp1251 koi8_r iso8859_5 cp866 mac_cyrillic"),
        ("uk", "cp1251 koi8_u iso8859_5 mac_cyrillic"),
        ("bg", "cp1251 iso8859_5 cp866"),
        ("el", "cp1253 iso8859_7 cp737 mac_greek"),
        ("he", "cp1255 iso8859_8 cp862"),
        ("ar", "cp1256 iso8859_6"),
        ("th", "cp874"),
        ("pl", "cp1250 iso8859_2 cp852 mac_latin2"),
        ("cs", "cp1250 iso8859_2 cp852 mac_latin2"),
        ("hu", "cp1250 iso8859_2 cp852"),
        ("tr", "cp1254 iso8859_9 cp857 mac_turkish"),
        ("lt", "cp1257 iso8859_13 cp775"),
        ("fr", "cp1252 mac_roman cp850"),
        ("de", "cp1252 iso8859_15 mac_roman cp437 cp850"),
    ],
)
def test_undeclared_text_is_read_by_its_letters(language: str, pages: str) -> None:
    for page in pages.split():
        payload = COPY[language].encode(page)
        assert (
            decode(b"<rss><title>" + payload + b"</title></rss>")
            == f"<rss><title>{COPY[language]}</title></rss>"
        ), page
        assert decode_wire(payload) == COPY[language], page


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("灯塔再次亮起，守塔人修好了灯。", "gb2312"),
        ("燈塔再次亮起，守塔人修好了燈。", "big5"),
        ("灯台が再び光り、番人がランプを直した。", "shift_jis"),
        ("灯台が再び光り、番人がランプを直した。", "euc_jp"),
        ("등대가 다시 빛나고 등대지기가 등을 고쳤다.", "euc_kr"),
        ("灯台が再び光り、番人がランプを直した。", "iso2022_jp"),
    ],
)
def test_undeclared_east_asian_text_is_read(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("UTF8", "utf-8"),
        ("x-cp1251", "cp1251"),
        (" Windows-1253 ", "cp1253"),
        ("iso-8859-8-i", "iso8859_8"),
        ("logical", "iso8859_8"),
        ("ISO_8859-1:1987", "cp1252"),
        ("us-ascii", "cp1252"),
        ("latin5", "cp1254"),
        ("x-sjis", "cp932"),
        ("ks_c_5601-1987", "cp949"),
        ("x-gbk", "gb18030"),
        ("big5-hkscs", "big5hkscs"),
        ("dos-874", "cp874"),
        ("x-mac-ukrainian", "mac_cyrillic"),
        ("koi", "koi8_r"),
        ("ibm852", "cp852"),
        ("x-mac-turkish", "mac_turkish"),
        ("cp1250", "cp1250"),
        ("mac_roman", "mac_roman"),
    ],
)  # fmt: skip
def test_labels_are_those_of_browsers_and_of_old_machines(label: str, codec: str) -> None:
    assert codec_of(label) == codec


@pytest.mark.parametrize(
    "label", ["punycode", "undefined", "zlib", "utf-7", "rot13", "idna", "unicode_escape", "", None]
)
def test_no_other_codec_of_python_is_named_by_a_document(label: str | None) -> None:
    assert codec_of(label) is None


def test_vendors_signs_are_read_in_the_encodings_that_lack_them() -> None:
    assert decode_as("①便".encode("euc_jis_2004"), "euc_jp") == ("①便", 0)
    assert decode_as(b"\x1b$B-!JX\x1b(B OK", "iso2022_jp") == ("①便 OK", 0)


def test_a_letter_cut_in_its_middle_leaves_the_other_items_as_they_are() -> None:
    whole = "<item><title>Ça rouvre à Solvig</title></item>"
    payload = (
        f"<rss>{whole}<item><title>Le café est ferm".encode()
        + b"\xc3</title></item>"
        + f"{whole}</rss>".encode()
    )
    assert decode(payload) == f"<rss>{whole}<item><title>Le café est ferm\ufffd</title></item>{whole}</rss>"
    cyrillic = "<p>Маяк светит</p>".encode()
    assert decode(cyrillic[:-5] + b"</p>").startswith("<p>Маяк свети\ufffd")


@pytest.mark.parametrize(("strays", "is_utf8"), [(2, True), (3, False)])
def test_two_characters_of_utf8_outweigh_a_byte_that_is_none(strays: int, is_utf8: bool) -> None:
    payload = "é à ü ö ".encode() + b"caf\xe9 " * strays
    assert (choose_codec(payload)[0] == "utf-8") is is_utf8


def test_damage_tells_where_a_letter_was_lost() -> None:
    event = one(b"<rss><channel><item><title>Caf\xc3 ferm\xc3\xa9</title><description>" + "Zoé a dit « été".encode() + b"\xc3"
                           b"</description></item></channel></rss>")  # fmt: skip
    assert (event.headline, event.text) == ("Caf\ufffd fermé", "Zoé a dit « été\ufffd")
    assert event.damage == (Damage(15, 16, "truncated"), Damage(3, 4, "mojibake", "headline"))


def test_two_encodings_in_one_document_are_read_each_in_its_own() -> None:
    utf8, other = COPY["ru"], COPY["uk"]
    payload = f"<rss><p>{utf8}</p><p>".encode() + other.encode("cp1251") + f"</p><p>{utf8}</p></rss>".encode()
    assert decode(payload) == f"<rss><p>{utf8}</p><p>{other}</p><p>{utf8}</p></rss>"


def test_a_mark_that_lies_is_passed_over() -> None:
    assert decode(b"\xef\xbb\xbf" + COPY["ru"].encode("cp1251")) == COPY["ru"]
    assert decode(b"\xff\xfe" + COPY["fr"].encode()) == COPY["fr"]
    assert decode("\ufeff".encode("utf-16-le") + COPY["el"].encode("utf-16-le")) == COPY["el"]


def test_a_wrong_declaration_loses_only_where_the_bytes_are_certain() -> None:
    russian = COPY["ru"].encode("cp1251")
    assert decode(russian, "iso-8859-1") == COPY["ru"]
    assert decode(b'<?xml version="1.0" encoding="utf-8"?><p>' + russian + b"</p>").endswith(
        f"<p>{COPY['ru']}</p>"
    )
    assert decode(COPY["ru"].encode("koi8_r"), "windows-1251") == COPY["ru"]
    assert decode(b"caf\xe8", "iso-8859-2") == "cafč"  # another word, but nothing says so for certain
    assert decode(COPY["pl"].encode("cp1250"), "windows-1250") == COPY["pl"]


def test_a_declared_language_decides_between_readings() -> None:
    assert rank_code_pages("žalud".encode("cp1250"), "cs")[0].language == "cs"
    payload = "<rss><channel><language>el</language><title>Νέα</title></channel></rss>".encode("iso8859_7")
    assert "Νέα" in decode(payload)


def test_what_a_feed_was_in_before_decides_where_the_letters_leave_it_open() -> None:
    payload = "Süd".encode("cp1250")
    assert choose_codec(payload)[0] == "cp1252"
    assert choose_codec(payload, usual="cp1250") == ("cp1250", True)
    assert choose_codec(COPY["bg"].encode("iso8859_5"), usual="cp1251") == ("iso8859_5", True)


def test_a_word_of_a_million_letters_is_read_at_once() -> None:
    assert decode(("я" * 1_000_000).encode("cp1251")).count("я") == 1_000_000
    assert decode_unmarked(b"a" * 1_000_000 + "é".encode("cp1252")).endswith("aé")


def test_iso_6937_is_told_from_windows_1252_that_begins_with_a_capital() -> None:
    assert decode_wire("École fermée à Étretat".encode("cp1252")) == "École fermée à Étretat"
    assert (
        decode_wire(b"Die F\xc8ahre f\xc8ahrt \xc8ofter, die Z\xc8uge auch")
        == "Die Fähre fährt öfter, die Züge auch"
    )


@pytest.mark.parametrize("encoding", ["utf-8", "windows-1251", "koi8-r"])
def test_header_fields_of_mail_that_were_not_encoded_are_read(encoding: str) -> None:
    head = f'From: "Вера Ольхова" <vera@mayak.example>\nMessage-ID: <7@mayak.example>\nSubject:Маяк (снова) светит\nContent-Type: text/plain; charset={encoding}\n\n'
    event = one((head + f"{COPY['ru']}\n\nЛодки вернулись.").encode(encoding))
    assert event.story.title == "Маяк (снова) светит"
    assert [source.name for source in event.story.info_sources] == ["Вера Ольхова"]
    assert event.text.startswith(COPY["ru"])


def test_encoded_words_have_the_labels_of_browsers() -> None:
    event = one(
        "From: vera@mayak.example\nMessage-ID: <8@mayak.example>\nSubject: =?x-sjis?B?k5SR5Iya?=\n\nA light.\n\nAnother."
    )
    assert event.story.title == "灯台建"


def test_html_of_mail_declares_its_own_encoding() -> None:
    head = "From: vera@mayak.example\nMessage-ID: <9@mayak.example>\nSubject: Light\nMIME-Version: 1.0\nContent-Type: text/html\n\n"
    page = f"<html><head><meta charset='windows-1251'></head><body><p>{COPY['ru']}</p></body></html>"
    assert one(head.encode() + page.encode("cp1251")).text == COPY["ru"]


def test_blanks_that_only_end_lines_are_deleted_where_the_sender_says_so() -> None:
    head = "From: vera@mayak.example\nMessage-ID: <10@mayak.example>\nSubject: Light\nContent-Type: text/plain; charset=utf-8; format=flowed{}\n\n"
    assert one(head.format("; DelSp=Yes") + "灯台が再び \n光り始めた。\n").text == "灯台が再び光り始めた。"
    assert one(head.format("") + "The light \nshines.\n").text == "The light shines."


@pytest.mark.parametrize("page", ["iso8859_8", "cp862"])
def test_hebrew_that_was_stored_as_it_is_shown_is_read_in_its_own_order(page: str) -> None:
    before, after = (
        "השומר תיקן ב 1987 את הפנס של ",
        " (כך אמרו), והדייגים חזרו לחוף עם ערב.",
    )
    shown = (
        f"{after[::-1].translate(str.maketrans('()', ')('))}New York{before[::-1].replace('7891', '1987')}"
    )
    logical = f"{before}New York{after}"
    assert decode(f"<p>\n  {shown}\n</p>".encode(page)) == f"<p>\n  {logical}\n</p>"
    for text in (
        logical,
        COPY["he"],
        "מהמכון ןלסון",
    ):  # the order of today, also where it is declared so, and a slip
        assert (
            decode(f"<p>{text}</p>".encode(page), "iso-8859-8" if page == "iso8859_8" else page)
            == f"<p>{text}</p>"
        )
