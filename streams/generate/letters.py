"""Builds ``processors/normalise/letters.npz``, the models of letters, from CLDR (`babel`), the lexicon and the words below.

Run ``make letters`` after a change of any of them. CLDR gives some thousand names a language (countries, languages,
currencies, months, cities), the lexicon its commonest words, and `WORDS` some of those that carry accents, since names
have few. No text of a publisher is read.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, Final

import numpy as np
import orjson
from babel import Locale
from numpy.typing import NDArray

from config.lexicon import every_language
from processors.dates.calendar import fold_accents
from processors.normalise.letters import MODELS_FILE, PRICE_UNIT

WESTERN_PAGES: Final = "cp1252 iso8859_15 mac_roman cp850 cp437 cp858"
CENTRAL_PAGES: Final = "cp1250 iso8859_2 cp852 mac_latin2"
BALTIC_PAGES: Final = "cp1257 iso8859_13 iso8859_4 cp775"
TURKISH_PAGES: Final = "cp1254 iso8859_9 cp857 mac_turkish"
CYRILLIC_PAGES: Final = "cp1251 koi8_u iso8859_5 cp866 mac_cyrillic cp855"
# The code pages that can write a language, and that its newsrooms wrote it in.
PAGES: Final[dict[str, str]] = {
    **dict.fromkeys(["en", "es", "it", "nl", "ca", "eu", "gl", "af", "id"], WESTERN_PAGES),
    **dict.fromkeys(["cs", "sk"], CENTRAL_PAGES),
    **dict.fromkeys(["pl", "hu"], f"{CENTRAL_PAGES} iso8859_16"),
    **dict.fromkeys(["hr", "sl", "bs"], f"{CENTRAL_PAGES} mac_croatian iso8859_16"),
    **dict.fromkeys(["lv", "lt"], f"{BALTIC_PAGES} iso8859_10"),
    "sv": f"{WESTERN_PAGES} iso8859_10",
    "ga": f"{WESTERN_PAGES} iso8859_14",
    **dict.fromkeys(["be", "mk", "sr"], CYRILLIC_PAGES),
    **dict.fromkeys(["ru", "bg"], f"{CYRILLIC_PAGES} koi8_r"),
    **dict.fromkeys(["da", "nb"], f"{WESTERN_PAGES} cp865"),
    "de": f"{WESTERN_PAGES} cp1250",
    "fr": f"{WESTERN_PAGES} cp863",
    "pt": f"{WESTERN_PAGES} cp860",
    "fi": f"{WESTERN_PAGES} iso8859_4",
    "is": f"{WESTERN_PAGES} cp861 mac_iceland iso8859_10",
    "sq": f"{WESTERN_PAGES} cp1250 iso8859_2",
    "et": f"{BALTIC_PAGES} cp1252 iso8859_15",
    "ro": f"{CENTRAL_PAGES} iso8859_16 mac_romanian",
    "tr": f"{TURKISH_PAGES} iso8859_3",
    "az": TURKISH_PAGES,
    "uk": f"{CYRILLIC_PAGES} cp1125",
    "el": "cp1253 iso8859_7 cp737 cp869 mac_greek",
    "he": "cp1255 iso8859_8 cp862",
    "ar": "cp1256 iso8859_6 cp720 mac_arabic",
    "fa": "cp1256 mac_farsi",
    "ur": "cp1256",
    "th": "cp874",
    "vi": "cp1258",
    "mt": "iso8859_3",
    "eo": "iso8859_3",
    "cy": "cp1252 iso8859_14",
}
OTHER_SCRIPTS: Final = frozenset(["ru", "uk", "be", "bg", "mk", "sr", "el", "he", "ar", "fa", "ur", "th"])
WORDS: Final = {
    "it": "città sarà già più perché così però è là libertà società attività università verità possibilità martedì giovedì "
    "lunedì può ciò né cioè farà avrà potrà quantità realtà età unità metà qualità autorità novità comunità",
    "fr": "à où été déjà après très même être fête forêt grève élève préfet décidé société président années première dernière "
    "café théâtre hôpital août français leçon garçon œuvre cœur sœur naïf Noël élections sécurité marché côté tôt août dû sûr là",
    "es": "más también está después sólo aún año años niño mañana según día días país política dijo información región así "
    "elección millón será están había señor español qué cómo dónde público último México Perú",
    "pt": "não são também já está até após à às há três português governo eleição eleições informação região país política "
    "último público será você avô irmã manhã cabeça preço força opinião milhões ação então",
    "de": "für über können müssen früher größer Straße heißt Bürgermeister Öffentlichkeit Präsident Bevölkerung möglich hätte "
    "wäre während später schön Gespräch Grüße weiß außerdem natürlich zurück führt Länder Überraschung",
    "nl": "één België coördinatie geïnteresseerd reünie ideeën financiële zoëven vóór café privé Oekraïne industrieën",
    "ca": "això més també però què és està després només català Barcelonès són llengua política informació país dilluns à "
    "l'administració col·legi nació gràcies així força raó",
    "da": "på også når får før år være første større både både råd må små går så søndag lørdag børn køb spørgsmål området "
    "måned række ændring næste træ",
    "nb": "på også når får før år være første større både råd må små går så søndag lørdag kjøp spørsmål området måned "
    "endring næringsliv være gjør sjø båt ferge",
    "sv": "på också när får för år vara första större både råd må små går så söndag lördag köp fråga området månad kväll "
    "näringsliv gör sjö båt färja är säger åtta över",
    "fi": "että myös mutta myöhemmin päivä päivänä tämä hän pääministeri työ yö äänestys järjestelmä sää kylä väestö "
    "pysyä näyttää mökki öljy jälkeen",
    "is": "það þetta við fyrir þegar ár ráðherra íslenska þjóð forsætisráðherra sé hún um að því þó síðar vegna bæði óveður "
    "höfn ferð fólk næsta",
    "gl": "máis tamén está despois só ano anos mañá segundo día días país política información rexión así niña ñandú",
    "sq": "është për në një që të më nga së dhe më shumë çdo çfarë Shqipëri qeveria shtëpi këtë është bërë",
    "et": "või öö päev pärast üle õhtul jõudis võib äri küsimus õigus sündmus töö sõja jõgi kõik möödunud käesolev",
    "pl": "się że jest są będzie może już też także został został można według łódź ludzi później więc ścieżka wójt żołnierz "
    "źródło święto człowiek",
    "cs": "že také již může být při před příští předseda řekl článek město vláda údaje účet žádost šest děti země její něco "
    "přístav větší úřad",
    "sk": "že aj už môže byť pri pred budúci predseda povedal článok mesto vláda údaje účet žiadosť šesť deti krajina jej "
    "niečo prístav väčší úrad ľudia tŕň vŕba kôň",
    "hu": "és hogy nem után között szerint több először között nő kikötő időjárás éjszaka óra új út őszi tűz fű üzlet ügyek",
    "ro": "şi în să că după până între sînt două faţă preşedinte guvern şedinţă ţară oraş judeţ primărie naţional "
    "şi în să că după până între sunt două față președinte ședință țară oraș județ național",
    "hr": "što će također može će biti više još već između između luka čovjek žena djeca riječ možda đak grad općina",
    "sl": "še že več lahko tudi čas življenje človek država mož možnost začel žrtev večer občina",
    "bs": "što će također može će biti više još već između luka čovjek žena djeca riječ možda đak grad općina",
    "lv": "ir un ka arī pēc tādēļ šis viņš viņa kā ēka gājējs ķēniņš ļaudis ņemt šādi ūdens žurnāls četri ģimene Rīgā",
    "lt": "ir kad taip pat po to šis jį ją būti čia ėmė įvyko ūkis žmonės žmogus šeši ąžuolas metų didžiausia vyriausybė",
    "tr": "için değil şey çok daha sonra göre ılık İstanbul Türkiye güç büyük küçük başkan açıklama yılında öğle ığdır dışı "
    "olduğunu şöyle çünkü",
    "az": "üçün deyil şey çox daha sonra görä Azärbaycan böyük kiçik başqa açıq ölkä şähär",
    "vi": "không được người những trong và của với một để các đã cũng này sau khi thành phố chính phủ năm ngày tại cho biết "
    "theo việc nước",
    "th": "ที่ และ ใน ของ การ เป็น ไม่ ได้ ว่า มี จะ ให้ กับ จาก โดย ประเทศ รัฐบาล วัน ผู้ นี้ ได้รับ เมื่อ แล้ว",
    "ar": "في من على إلى أن التي الذي هذا هذه بعد قبل كان كانت وقال قالت رئيس الحكومة الأحد الاثنين مدينة",
    "fa": "در از به که این است را با برای آن های شد کرد می شود گفت رئیس دولت پس تا خود پیش چهار گروه",
    "ur": "کے میں کی ہے اور سے کا کو نے پر کہا ہیں یہ تھا گیا ایک بھی",
    "he": "של את על לא הוא היא עם זה כי גם אמר בין אל אחרי לפני ראש הממשלה יום שני נמל",
    "el": "και το να της του την στο για από με που είναι δεν τη στην ότι θα μετά κυβέρνηση είπε λιμάνι",
    "be": "што гэта як для быў была але таксама пасля ўсё іх яго ўжо горад улада сказаў",
    "bg": "на да се за от че това как след или също беше който каза правителство град пристанище ще",
    "mk": "на да се за од што ова како по или исто беше кој рече влада град пристаниште ќе ѓ ќ љ њ џ",
    "sr": "на да се за од што ово како после или такође је који рекао влада град лука ће ђак ћуп љубав његов џеп",
    "mt": "li għal fil minn kien huwa hija dan għandu ħafna żmien ġurnata ċar bħal wara ħadd għaliex ġew",
    "eo": "ĉu ĝi ŝi ankaŭ aŭ hodiaŭ ĵaŭdo ĥoro ĉiuj ĝis baldaŭ antaŭ preskaŭ eĉ aĵo",
    "cy": "yn ac ar ŵyr tŷ dŵr ôl hŷn môr gŵyl ŷd iâ blaid cyngor llywodraeth",
    "ga": "agus na an tá bhí sé sí ó é í ú Éire rialtas céad déag níos mór lá",
    "eu": "eta da ez ere du izan bat gobernua urtean señalea Iruñea",
    "af": "en die nie is het sê reën môre wêreld Oekraïne reël",
}  # fmt: skip
# How often words are counted beside CLDR's names, each of which counts once.
COMMON_WORD_WEIGHT: Final = 100
OWN_WORD_WEIGHT: Final = 25
# Pairs that a language's names lack are taken from its single letters, as if that many had been seen: with fewer, rare
# pairs cost too much, with more, languages grow alike.
SMOOTHING_COUNT: Final = 40.0
# Classes of characters that stand before a language's own letters.
BREAK, SIGN, QUOTE, FOREIGN, ODD, BAD, LATIN, APOSTROPHE, DOTS = range(9)
FIRST_LETTER: Final = 9
QUOTES: Final = "‘‚“”„«»‹›–—\u00a0€£§°·•¿¡№©®™¨"
SIGN_CLASSES: Final = {
    **dict.fromkeys(QUOTES, QUOTE),
    "’": APOSTROPHE,
    "ʼ": APOSTROPHE,
    "…": DOTS,
    "\ufffd": BAD,
}
# Prices of what is no letter of the language, in natural logarithms: chosen on the first halves of 44 translations of
# the Universal Declaration of Human Rights. Cheaper quotation marks make windows-1252 of code page 850, dearer ones the
# other way round.
SIGN_PRICES: Final = {SIGN: 3.0, QUOTE: 5.0, FOREIGN: 12.0, ODD: 9.0, BAD: 14.0, APOSTROPHE: 6.0, DOTS: 11.0}
PRICES_IN_WORD: Final = {QUOTE: 12.0, ODD: 13.0, APOSTROPHE: 5.0, DOTS: 10.0}
MAX_PRICE: Final = 14.0
LOWER, UPPER = 1, 2


def main() -> None:
    """Write the models."""
    weights = dict(_common_words())
    header: list[dict[str, Any]] = []
    prices: list[NDArray[Any]] = []
    classes: list[NDArray[Any]] = []
    for language, pages in PAGES.items():
        text = _training_text(language, weights.get(language, ()))
        letters = _letters_of(language, text, pages.split())
        table = _price_table(language, text, letters)
        prices.append(np.rint(table / PRICE_UNIT).astype(np.uint8).ravel())
        classes += [_byte_classes(page, letters) for page in pages.split()]
        header.append({"language": language, "pages": pages.split(), "size": len(table)})
    pages_in_use = sorted({page for entry in header for page in entry["pages"]})
    cases = np.concatenate([_byte_cases(page) for page in pages_in_use])
    description = orjson.dumps({"models": header, "pages": pages_in_use})
    np.savez_compressed(
        MODELS_FILE,
        description=np.frombuffer(description, dtype=np.uint8),
        prices=np.concatenate(prices),
        classes=np.concatenate(classes),
        cases=cases,
    )


def _common_words() -> Iterator[tuple[str, tuple[str, ...]]]:
    for tag, words in every_language():
        yield tag, tuple(words.common or ())


def _training_text(language: str, common: Iterable[str]) -> str:
    words = [*_names_of(language), *(list(common) * COMMON_WORD_WEIGHT)]
    words += WORDS.get(language, "").split() * OWN_WORD_WEIGHT
    text = unicodedata.normalize("NFC", " \n ".join(words))
    if language == "vi":
        return decompose_vietnamese(text)
    if language == "az":
        return text.translate(str.maketrans("əƏ", "äÄ"))  # as it was written in Turkish code pages
    if language == "el":  # capitals stand without the accents of small letters
        return text + fold_accents(text)
    if language == "ro":  # older code pages have letters with a cedilla for those with a comma
        return text.translate(str.maketrans("șțȘȚ", "şţŞŢ")) + text
    return text


def _names_of(language: str) -> list[str]:
    """The names that CLDR has in a language; those of months and days three times."""
    locale: Any = Locale.parse("sr_Cyrl" if language == "sr" else language)
    names: list[Any] = []
    for mapping in (locale.territories, locale.languages, locale.scripts, locale.currencies, locale.variants):
        names += mapping.values()
    for calendar in (locale.months, locale.days):
        for widths in calendar.values():
            for width in widths.values():
                names += list(width.values()) * 3
    for zone in locale.time_zones.values():
        names += zone.values()
    return [name for name in names if isinstance(name, str)]


def decompose_vietnamese(text: str) -> str:
    """The text as windows-1258 writes it: letters with a tone are two characters, where there is no single one."""
    return "".join(
        char if char.isascii() else _decompose(char) for char in unicodedata.normalize("NFC", text)
    )


@cache
def _decompose(char: str) -> str:
    parts = unicodedata.normalize("NFD", char)
    for end in range(len(parts), 0, -1):
        base = unicodedata.normalize("NFC", parts[:end])
        if len(base) == 1 and base.encode("cp1258", "ignore"):
            return base + parts[end:]
    return parts


def _letters_of(language: str, text: str, pages: list[str]) -> dict[str, int]:
    """The numbers of a language's letters in lower case: those in at least three places that a code page has."""
    available = {_fold_case(char) for page in pages for char in decode_bytes(page)}
    counts = Counter(_fold_case(char) for char in text if _is_letter(char))
    own = [
        char
        for char, count in counts.most_common()
        if count >= 3 and not char.isascii() and char in available
    ]
    if language in OTHER_SCRIPTS:
        own = [char for char in own if not unicodedata.name(char, "").startswith("LATIN")]
    else:
        own = [*"abcdefghijklmnopqrstuvwxyz", *own]
    return {char: number for number, char in enumerate(own, FIRST_LETTER)}


def _price_table(language: str, text: str, letters: dict[str, int]) -> NDArray[Any]:
    """What a class costs behind another one."""
    size = FIRST_LETTER + len(letters)
    sequence = [BREAK, *(_class_of(char, letters) for char in text), BREAK]
    counts = np.zeros((size, size))
    np.add.at(counts, (sequence[:-1], sequence[1:]), 1)
    single = counts.sum(0) + 0.3
    single[[FOREIGN, QUOTE, APOSTROPHE, DOTS]] = 0.1
    single[[ODD, BAD]] = 0.01
    shares = single / single.sum()
    table = -np.log((counts + SMOOTHING_COUNT * shares) / (counts.sum(1, keepdims=True) + SMOOTHING_COUNT))
    _set_prices(table, -np.log(shares[FIRST_LETTER:]), latin=language not in OTHER_SCRIPTS)
    clipped: NDArray[Any] = np.clip(table, 0.05, MAX_PRICE)
    return clipped


def _set_prices(table: NDArray[Any], single: NDArray[Any], *, latin: bool) -> None:
    """Set the prices of the classes that hold no letters of the language, in place."""
    own = slice(FIRST_LETTER, None)
    table[:, BREAK] = np.minimum(table[:, BREAK], 4)
    for kind, price in SIGN_PRICES.items():
        table[:, kind] = price
    for kind, price in PRICES_IN_WORD.items():
        table[own, kind] = price
    # Latin words in a text of another script: dearer than in a language that is written so.
    table[:, LATIN] = 9 if latin else 6
    table[LATIN, LATIN] = 3.6
    for before in (BREAK, SIGN, QUOTE):
        table[before, LATIN] = 5
        table[before, QUOTE] = 6
    # A word begins anew behind a sign; behind what is odd, hardly.
    for before, price in ((SIGN, 0.0), (APOSTROPHE, 0.0), (QUOTE, 1.0), (ODD, 2.5), (BAD, 2.5), (DOTS, 4.0)):
        table[before, own] = table[BREAK, own] + price
    table[FOREIGN, own] = single
    table[LATIN, own] = np.maximum(single + 3, 4)
    table[BREAK, BREAK] = 0.1


def _byte_classes(page: str, letters: dict[str, int]) -> NDArray[Any]:
    return np.array([_class_of(char, letters) for char in decode_bytes(page)], dtype=np.uint8)


def _byte_cases(page: str) -> NDArray[Any]:
    cases = [LOWER if char.islower() else UPPER if char.isupper() else 0 for char in decode_bytes(page)]
    return np.array(cases, dtype=np.uint8)


@cache
def decode_bytes(page: str) -> str:
    """The 256 characters of a code page; U+FFFD where it has none."""
    return "".join(bytes([byte]).decode(page, "replace") for byte in range(256))


def _class_of(char: str, letters: dict[str, int]) -> int:
    number = letters.get(_fold_case(char))
    if number is not None:
        return number
    if char.isascii():
        return BREAK if char.isspace() or ord(char) < 0x20 else LATIN if char.isalpha() else SIGN
    if kind := SIGN_CLASSES.get(char):
        return kind
    if "\x80" <= char < "\xa0" or "─" <= char <= "◿":
        return BAD
    return FOREIGN if _is_letter(char) else ODD


def _is_letter(char: str) -> bool:
    return char.isalpha() or unicodedata.category(char) in {"Mn", "Mc"}


def _fold_case(char: str) -> str:
    return char.lower()[:1] or char


if __name__ == "__main__":
    main()
