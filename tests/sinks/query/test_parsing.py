"""What a query says, and what is wrong with one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sinks.query import check_query, format_query, parse_query
from sinks.query.parsing import MAX_DEPTH, MAX_QUERY_CHARS, MAX_QUERY_TERMS


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("", ""),
        ("ferry copper", '"ferry" "copper"'),
        ("ferry AND copper", '"ferry" "copper"'),
        ("ferry - copper & tin", '"ferry" "copper" "tin"'),
        ('"Copper  Falls"', '"copper falls"'),
        ("“copper falls”", '"copper falls"'),
        ("e-mail 12:30", '"e mail" "12 30"'),
        ("Café", '"cafe"'),
        ("begin*", '"begin"*'),
        ('"copper fal"*', '"copper fal"*'),
        ("日本*", '"日 本"'),
        ("-ferry", '-"ferry"'),
        ("NOT ferry", '-"ferry"'),
        ("-(a OR b) c", '-("a" OR "b") "c"'),
        ("a b OR c d", '"a" "b" OR "c" "d"'),
        ("a (b OR c) d", '"a" ("b" OR "c") "d"'),
        ("（a OR b） c", '("a" OR "b") "c"'),
        ("or and not", '"or" "and" "not"'),
        ("Update: copper falls", '"update" "copper" "falls"'),
        ("https://desk.example/a", '"https desk example a"'),
        ("headline:ferry", 'headline:"ferry"'),
        ("TITLE:ferry", 'headline:"ferry"'),
        ('slug:"Harbour x"', 'slug:"harbour x"'),
        ("feed:(NDA OR sur) x", '(feed:nda OR feed:sur) "x"'),
        ("headline:(ferry harbour)", 'headline:"ferry" headline:"harbour"'),
        ("feed:nd*", "feed:nd*"),
        ('person:"Ines Okafor"', 'person:"ines okafor"'),
        ("entity:Q64", "entity:q64"),
        ("country:PT country:portugal country:PRT country:Alemania country:Q45", "country:pt country:pt country:pt country:de country:pt"),
        ("lang:pt-BR language:german", "lang:pt-br lang:de"),
        ("topic:sport topic:15000000 topic:medtop:15000000", "topic:medtop:15000000 topic:medtop:15000000 topic:medtop:15000000"),
        ("topic:http://cv.iptc.org/newscodes/mediatopic/15000000", "topic:medtop:15000000"),
        ("is:killed is:repeat", "is:kill is:duplicate"),
        ("urgency:1..3 urgency:<3 urgency:2", "urgency:1..3 urgency:..2 urgency:2..2"),
        ("words:>200 words:>=200 words:200..", "words:201.. words:200.. words:200.."),
        ("after:24h received:2h", "time:1440m.. received:120m.."),
        ("after:2026-01-01", "time:2026-01-01T00:00:00.000Z.."),
        ("before:2026-01-31T12:00+01:00", "time:..2026-01-31T11:00:00.000Z"),
        ("received:2026-02", "received:2026-02-01T00:00:00.000Z..2026-02-28T23:59:59.999Z"),
        ("time:2026-01-30..2026-01-31", "time:2026-01-30T00:00:00.000Z..2026-01-31T23:59:59.999Z"),
        ("time:>2026-12 time:<2026-01-02", "time:2027-01-01T00:00:00.000Z.. time:..2026-01-01T23:59:59.999Z"),
        ("near:38.7,-9.1,50", 'near:"38.7,-9.1,50.0"'),
    ],
)  # fmt: skip
def test_a_query_says(text: str, same: str) -> None:
    assert format_query(parse_query(text)) == same
    assert parse_query(same) == parse_query(text)


@pytest.mark.parametrize(
    ("text", "part", "message"),
    [
        ("ferry headlin:x", "headlin", "did you mean headline:?"),
        ("Q:A", "Q", "quotes"),
        ("a feed: x", "feed:", "without a blank"),
        ("(a OR b", "(", "not closed"),
        ("a OR b)", ")", "none has opened"),
        ("a ()", "()", "nothing between"),
        ("a OR", "OR", "both sides"),
        ("AND a", "AND", "both sides"),
        ("a NOT", "NOT", "behind it"),
        ("a OR - OR b", "OR", "both sides"),
        ('say "open', '"', "not closed"),
        ("* … !", "* … !", "neither letter nor digit"),
        ("a e*", "e*", "too many words"),
        ("topic:sprot", "topic:sprot", "did you mean sport?"),
        ("topic:99999999", "topic:99999999", "no Media Topic"),
        ("country:Portgal", "country:Portgal", "did you mean portugal?"),
        ("country:QQ", "country:QQ", "write a code"),
        ("lang:klingonian", "lang:klingonian", "no language"),
        ("is:gone", "is:gone", "use one of"),
        ("urgency:9..1", "urgency:9..1", "smaller one first"),
        ("words:many", "words:many", "no whole number"),
        ("after:tomorrow", "after:tomorrow", "no time"),
        ("after:2026-13-01", "after:2026-13-01", "no time"),
        ("time:..", "time:..", "one side"),
        ("near:91,0,5", "near:91,0,5", "latitudes"),
        ("near:1,2,nan", "near:1,2,nan", "distance"),
        ("near:lisbon", "near:lisbon", "latitude, longitude, kilometres"),
        ("headline:-x", "headline:-", "-headline:"),
        ('person:"…"', 'person:"…"', "neither letter nor digit"),
        ("feed:(a OR headline:(b))", "headline:", "brackets of another"),
        ("(" * (MAX_DEPTH + 1) + "a", "(", "deep"),
        (" ".join(["a"] * 10_000)[:MAX_QUERY_CHARS], None, f"may have {MAX_QUERY_TERMS}"),
        (" OR ".join(["harbour"] * 10_000), None, f"may have {MAX_QUERY_CHARS}"),
    ],
)  # fmt: skip
def test_an_error_says_what_is_wrong_and_where(text: str, part: str | None, message: str) -> None:
    error = check_query(text)
    assert error
    assert message in str(error)
    assert 0 <= error.start < error.start + error.length <= len(text)
    if part is not None:
        assert text[error.start : error.start + error.length] == part


PIECES = st.sampled_from(
    ['"', "(", ")", "-", "*", ":", " ", "OR", "AND", "NOT", "headline:", "feed:", "near:", "time:", "urgency:", "country:",
     "a", "ferry", "1..3", "24h", "日本", "é", "\u0301", "\u200c", "\x00", "..", ">", "“", "：", "is:", "kill", "PT"]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=14).map("".join))
def test_whatever_is_typed_has_a_tree_or_an_error_in_place(text: str) -> None:
    error = check_query(text)
    if error is None:
        tree = parse_query(text)
        assert parse_query(format_query(tree)) == tree
    else:
        assert 0 <= error.start < error.start + error.length <= len(text)
