"""Both indices find every word of a story again, whatever script it is in: as it stands, and as readers type it."""

from __future__ import annotations

import unicodedata
from typing import Final

import pytest

from sinks.search import Query
from tests.sinks.conftest import Shelf
from tests.sinks.elasticsearch.conftest import Stack
from tests.sinks.events import event

# "The new ferry of Veldhaven sails again" and the like. Where a script puts no blanks between words, `|` parts them here.
SENTENCES: Final = {
    "Latin": "Łódź’s ferry Wäsche-Ørsted crossed Đà Nẵng bay, says Şule İnönü of L’Hospitalet’s coöperative (Straße 7, œuvre).",
    "Cyrillic": "Её паром снова ходит, сказал Йосиф Ёлкин; Україна їде, п’ять об'єктів, Ґудзь, Ћирић.",
    "Greek": "Το πλοίο ΐδρυσε Αθήνα ΟΔΌΣ ὁδός μαΐου ᾠδή",
    "Hebrew": "הַמַּעְבֹּרֶת שׁוּב מַפְלִיגָה, אמר רון כהן מצה״ל",
    "Arabic": "العبّارة أبحرت إلى القُرآن آمال مؤتمر شاطئ هـــنا مستشفى ٢٠٢٦ ﷲ",
    "Persian": "کشتی می‌رود به خانه‌های بندر، گفت علی رضایی",
    "Urdu": "کشتی پھر چلی، ہاشم نے کہا",
    "Devanagari": "नई नौका फ़िल्म हिन्दी में चली, रवि क़ुरैशी ने कहा २०२६",
    "Bengali": "নতুন ফেরি আবার চলছে, র‌্যাব বলেছে য়ড়",
    "Gurmukhi": "ਨਵੀਂ ਕਿਸ਼ਤੀ ਫਿਰ ਚੱਲੀ",
    "Gujarati": "નવી હોડી ફરી ચાલી",
    "Tamil": "புதிய படகு மீண்டும் ஓடியது",
    "Telugu": "కొత్త పడవ మళ్ళీ నడిచింది",
    "Kannada": "ಹೊಸ ದೋಣಿ ಮತ್ತೆ ಓಡಿತು",
    "Malayalam": "പുതിയ വള്ളം വീണ്ടും ഓടി അവൻ അവന്‍",
    "Sinhala": "නව බෝට්ටුව ශ්‍රී ලංකා නැවත",
    "Thai": "|เรือ|ใหม่|แล่น|อีกครั้ง|น้ำ|ที่|ท่าเรือ|",
    "Lao": "|ເຮືອ|ໃໝ່|ແລ່ນ|ນ້ຳ|",
    "Khmer": "|នាវា|ថ្មី|ចេញ|ម្តងទៀត|",
    "Burmese": "|သင်္ဘော|အသစ်|ထွက်|ဦး|",
    "Tibetan": "གྲུ་གསར་པ་བོད་",
    "Georgian": "ახალი ბორანი კვლავ ცურავს",
    "Armenian": "Նոր լաստանավը կրկին նավարկում է",
    "Ethiopic": "አዲሱ ጀልባ እንደገና ተጓዘ",
    "Hangul": "새 여객선이 다시 출항했다고 김하늘이 말했다",
    "Han": "|新|渡輪|再次|啟航|東京|",
    "Kana": "|フェリー|が|ガッツ|ぱんだ|再び|ﾊﾟﾝ|",
    "Mongolian": "ᠰᠢᠨ᠎ᠡ ᠣᠩᠭᠣᠴᠠ",
    "Cherokee": "ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ",
    "Adlam": "𞤀𞤁𞤂𞤢𞤥",
}
TYPED: Final = [
    ("lodz", "Latin"), ("orsted", "Latin"), ("da nang", "Latin"), ("SULE INONU", "Latin"), ("strasse", "Latin"),
    ("oeuvre", "Latin"), ("cooperative", "Latin"), ("ｆｅｒｒｙ", "Latin"),
    ("ее", "Cyrillic"), ("елкин", "Cyrillic"), ("иосиф", "Cyrillic"), ("УКРАІНА", "Cyrillic"), ("п'ять", "Cyrillic"),
    ("обʼєктів", "Cyrillic"), ("αθηνα", "Greek"), ("οδος", "Greek"), ("ΟΔΟΣ", "Greek"), ("μαιου", "Greek"), ("ωδη", "Greek"),
    ("המעברת", "Hebrew"), ('מצה"ל', "Hebrew"), ("العبارة", "Arabic"), ("ابحرت", "Arabic"), ("الى", "Arabic"), ("امال", "Arabic"),
    ("القران", "Arabic"), ("هنا", "Arabic"), ("2026 مستشفي", "Arabic"), ("مي رود", "Persian"), ("كشتي", "Persian"),
    ("फिल्म", "Devanagari"), ("2026 हिन्दी", "Devanagari"), ("র্যাব", "Bengali"), ("അവൻ", "Malayalam"), ("ශ්රී", "Sinhala"),
    ("パン", "Kana"), ("ﾌｪﾘｰ", "Kana"), ("여객선*", "Hangul"),
]  # fmt: skip
OTHER_WORDS: Final = [
    "カッツ",
    "はんた",
    "हन्द",
    "ਕਸ਼ਤ",
    "ท่าเรอ",
    "서울",
    "東海",
    "பதய",
]  # letters taken away, or others


def uri(script: str) -> str:
    return f"urn:script:{script}"


def sentence_words(sentence: str) -> list[str]:
    return sentence.strip("|").split("|") if "|" in sentence else sentence.split()


@pytest.fixture
async def both(shelf: Shelf, stack: Stack) -> tuple[Shelf, Stack]:
    stories = [
        event(uri(script), headline=script, text=sentence.replace("|", ""))
        for script, sentence in SENTENCES.items()
    ]
    shelf.put(*stories)
    await stack.put(*stories)
    return shelf, stack


async def test_both_indices_find_every_word_in_every_script(both: tuple[Shelf, Stack]) -> None:
    """All words of a query must occur, so one query asks for each of them."""
    shelf, stack = both
    queries = [(" ".join(sentence_words(sentence)), script) for script, sentence in SENTENCES.items()]
    queries += [(unicodedata.normalize("NFD", words), script) for words, script in queries]
    queries += [(f'"{sentence.replace("|", "")}"', script) for script, sentence in SENTENCES.items()]
    missed = []
    for typed, script in [*queries, *TYPED]:
        for index in (shelf.search, stack.stories):
            hits = {hit.uri: hit for hit in (await index.search(Query(typed))).hits}
            if uri(script) not in hits:
                missed.append((typed, script, type(index).__name__))
            elif not hits[uri(script)].marks:
                missed.append((typed, script, f"unmarked by {type(index).__name__}"))
    assert missed == []


async def test_words_with_other_letters_are_not_found(both: tuple[Shelf, Stack]) -> None:
    shelf, stack = both
    for typed in OTHER_WORDS:
        for index in (shelf.search, stack.stories):
            assert (await index.search(Query(typed))).hits == (), typed


async def test_what_one_index_finds_the_other_finds(both: tuple[Shelf, Stack]) -> None:
    shelf, stack = both
    for typed in ["ferry -7", "कि*", '"新渡輪"', "ﾊﾟﾝ -ガッツ", "μα*", "x" * 200, "が", "-ferry 7"]:
        found = [
            {hit.uri for hit in (await index.search(Query(typed))).hits}
            for index in (shelf.search, stack.stories)
        ]
        assert found[0] == found[1], typed
