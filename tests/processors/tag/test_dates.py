"""English date expressions and their TIMEX3 values. The reference date is Wednesday, 29 January 2025."""

from __future__ import annotations

import pytest

from processors.model.event import DateExpression, Dateline, Event, Language, Place, Provenance, Segment
from processors.model.story import Story
from processors.tag.dates import MAX_DATE_CHARS, MAX_DATES, find_dates

REFERENCE = "2025-01-29T12:00:00Z"


def read(text: str, created: str = REFERENCE) -> tuple[DateExpression, ...]:
    return find_dates(
        Event(Story(uri="urn:x", version_created=created), text=text, language=Language("en", 1.0))
    )


def values(text: str, created: str = REFERENCE) -> list[tuple[str, str]]:
    return [(date.text, date.value) for date in read(text, created)]


@pytest.mark.parametrize(
    ("text", "words", "value"),
    [
        ("It opened on 28 April 2018.", "28 April 2018", "2018-04-28"),
        ("It opened on April 28, 2018.", "April 28, 2018", "2018-04-28"),
        ("It opened on Saturday, April 28, 2018.", "Saturday, April 28, 2018", "2018-04-28"),
        ("It opened on the 3rd of May 2018.", "the 3rd of May 2018", "2018-05-03"),
        ("It opened on 2018-04-28.", "2018-04-28", "2018-04-28"),
        ("It opened on 4/28/2018.", "4/28/2018", "2018-04-28"),
        ("It opened on 28/4/2018.", "28/4/2018", "2018-04-28"),
        ("It opened in April 2018.", "April 2018", "2018-04"),
        ("It opened in 2018.", "2018", "2018"),
        ("It opened in the 1990s.", "1990s", "199X"),
        ("It opened in the ’90s.", "’90s", "199X"),
        ("It opened in the 19th century.", "the 19th century", "18"),
        ("It opened in the summer of 2018.", "the summer of 2018", "2018-SU"),
        ("It opened in the third quarter of 2018.", "the third quarter of 2018", "2018-Q3"),
        ("It opened in Q3 2018.", "Q3 2018", "2018-Q3"),
        ("It opened in fiscal 2018.", "fiscal 2018", "FY2018"),
        ("It opened on Christmas Eve 2018.", "Christmas Eve 2018", "2018-12-24"),
        ("It opened on Easter Monday 2018.", "Easter Monday 2018", "2018-04-02"),
        ("It opened in early December 2018.", "early December 2018", "2018-12"),
    ],
)
def test_absolute_dates(text: str, words: str, value: str) -> None:
    assert values(text) == [(words, value)]


@pytest.mark.parametrize(
    ("text", "words", "value"),
    [
        ("Ruiz met the council on Wednesday.", "Wednesday", "2025-01-29"),
        ("Ruiz met the council on Tuesday.", "Tuesday", "2025-01-28"),
        ("Ruiz met the council on Friday.", "Friday", "2025-01-24"),
        ("Ruiz will meet the council on Friday.", "Friday", "2025-01-31"),
        ("On Friday, Ruiz will meet the council.", "Friday", "2025-01-31"),
        ("The council has until Friday to answer.", "Friday", "2025-01-31"),
        ("Ruiz lost Friday’s vote, and the council will meet.", "Friday", "2025-01-24"),
        ("Ruiz met the council last Wednesday.", "last Wednesday", "2025-01-22"),
        ("Ruiz meets the council next Wednesday.", "next Wednesday", "2025-02-05"),
        ("Ruiz met the council on Tuesday night.", "Tuesday night", "2025-01-28"),
        ("The paper says that Thursday is the day.", "Thursday", "2025-01-30"),
    ],
)
def test_a_weekday_is_the_nearest_that_the_words_allow(text: str, words: str, value: str) -> None:
    assert values(text) == [(words, value)]


@pytest.mark.parametrize(
    ("text", "words", "value"),
    [
        ("It rained yesterday.", "yesterday", "2025-01-28"),
        ("It rains today.", "today", "2025-01-29"),
        ("It will rain tomorrow.", "tomorrow", "2025-01-30"),
        ("It rained the day before yesterday.", "the day before yesterday", "2025-01-27"),
        ("It rained last week.", "last week", "2025-W04"),
        ("It rained this month.", "this month", "2025-01"),
        ("It rained at the end of last year.", "last year", "2024"),
        ("It will rain next year.", "next year", "2026"),
        ("It rained last quarter.", "last quarter", "2024-Q4"),
        ("It rained last summer.", "last summer", "2024-SU"),
        ("It rained last decade.", "last decade", "201X"),
        ("It rained in December.", "December", "2024-12"),
        ("It rained last November.", "last November", "2024-11"),
        ("Elections are due in May.", "May", "2025-05"),
        ("It rained in May.", "May", "2024-05"),
        ("It rained in October this year.", "October this year", "2025-10"),
        ("It rained on Dec. 30.", "Dec. 30", "2024-12-30"),
        ("It will open on Feb. 3.", "Feb. 3", "2025-02-03"),
        ("It rained 11 days ago.", "11 days ago", "2025-01-18"),
        ("It rained two weeks ago.", "two weeks ago", "2025-W03"),
        ("It rained three months ago.", "three months ago", "2024-10"),
        ("It rained almost twenty-five years ago.", "almost twenty-five years ago", "2000"),
        ("It rained a decade ago.", "a decade ago", "2015"),
        ("It rained several years ago.", "several years ago", "PAST_REF"),
        ("It rained in the week of Jan. 13.", "the week of Jan. 13", "2025-W03"),
        ("It rained over the weekend.", "the weekend", "2025-W04-WE"),
        ("It is raining now.", "now", "PRESENT_REF"),
        ("It rained recently.", "recently", "PAST_REF"),
        ("It may rain in the future.", "the future", "FUTURE_REF"),
        ("The vote is on Election Day.", "Election Day", "2024-11-05"),
        ("They meet on Thanksgiving 2024.", "Thanksgiving 2024", "2024-11-28"),
        ("They met on Memorial Day 2024.", "Memorial Day 2024", "2024-05-27"),
        ("He retires at the end of the year.", "the end of the year", "2025"),
        ("Orders should recover by year-end.", "year-end", "2025"),
        ("It grew in the first half of 2024.", "the first half of 2024", "2024-H1"),
        ("It grew in the second half of last year.", "the second half of last year", "2024-H2"),
        ("They meet on Tuesday next week.", "Tuesday next week", "2025-02-04"),
        ("They met on Tuesday of last week.", "Tuesday of last week", "2025-01-21"),
        ("It rained on 10/27/24.", "10/27/24", "2024-10-27"),
    ],
)
def test_relative_dates(text: str, words: str, value: str) -> None:
    assert values(text) == [(words, value)]


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("It rained for three days.", "P3D", "DURATION"),
        ("It took two decades.", "P20Y", "DURATION"),
        ("It took several weeks.", "PXW", "DURATION"),
        ("A six-month delay followed.", "P6M", "DURATION"),
        ("It took five hours.", "PT5H", "DURATION"),
        ("It happens every day.", "P1D", "SET"),
        ("It is printed weekly.", "P1W", "SET"),
        ("It opens on Mondays.", "XXXX-WXX-1", "SET"),
        ("It opens tonight.", "2025-01-29TNI", "TIME"),
        ("It opened last night.", "2025-01-28TNI", "TIME"),
    ],
)
def test_durations_sets_and_times_are_told_apart_from_dates(text: str, value: str, kind: str) -> None:
    assert [(date.value, date.type) for date in read(text)] == [(value, kind)]


def test_the_month_of_may_is_no_sign_of_what_may_come() -> None:
    assert values("It rained between May and July.")[1] == ("July", "2024-07")


def test_a_half_of_a_match_is_no_date() -> None:
    assert values("They scored in the second half.") == []
    assert values("At the end of the day it is a game.") == []


def test_later_and_the_same_day_count_from_the_day_told_last() -> None:
    assert values("It opened on 3 March 2024. Two days later it closed. That same day it burnt.") == [
        ("3 March 2024", "2024-03-03"),
        ("Two days later", "2024-03-05"),
        ("That same day", "2024-03-05"),
    ]


def test_the_second_day_of_a_pair_has_the_month_of_the_first() -> None:
    assert values("It opened on April 24 and 25, 2 years ago.")[:2] == [
        ("April 24", "2024-04-24"),
        ("25", "2024-04-25"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "You may go, and they march on.",
        "Jan Novak and April Brown came.",
        "It has 1950 people and costs $1999.",
        "The sum of 2,015 was paid.",
        "The second witness sat down.",
        "It happened on 31 February 2024.",
        "They fall into spring water.",
    ],
)
def test_words_that_only_look_like_dates_are_none(text: str) -> None:
    assert [date.value for date in read(text) if date.type == "DATE"] == []


def test_the_dateline_beats_the_storys_time_and_that_the_time_of_arrival() -> None:
    story, text = Story(uri="urn:x", version_created="2025-01-31T00:30:00Z"), "It rained on Wednesday."
    arrived = Provenance("2025-02-08T00:00:00Z", "plain-text")

    assert (
        find_dates(Event(story, text=text, dateline=Dateline(0, 0, date="2025-01-29")))[0].value
        == "2025-01-29"
    )
    assert find_dates(Event(story, text=text, provenance=arrived))[0].value == "2025-01-29"
    assert find_dates(Event(Story(uri="urn:x"), text=text, provenance=arrived))[0].value == "2025-02-05"
    assert find_dates(Event(Story(uri="urn:x"), text=text)) == ()


def test_a_caption_that_tells_its_date_is_its_own_reference() -> None:
    text = "Ruiz on Friday in Kiel, 28 April 2018.\n\nIt rained on Friday."
    segments = (Segment(0, 38, "caption"), Segment(40, len(text), "paragraph"))
    event = Event(Story(uri="urn:x", version_created=REFERENCE), text=text, segments=segments)

    assert [date.value for date in find_dates(event)] == ["2018-04-27", "2018-04-28", "2025-01-24"]


def test_slugs_credits_and_sign_offs_are_not_read() -> None:
    text = "BC-Storm, Jan 29"
    event = Event(
        Story(uri="urn:x", version_created=REFERENCE), text=text, segments=(Segment(0, len(text), "slug"),)
    )

    assert find_dates(event) == ()


def test_what_stands_behind_the_limit_is_not_read() -> None:
    assert read("x " * (MAX_DATE_CHARS // 2) + "It rained yesterday.") == ()


@pytest.mark.parametrize(
    ("count", "found"), [(MAX_DATES - 1, MAX_DATES - 1), (MAX_DATES, MAX_DATES), (3 * MAX_DATES, MAX_DATES)]
)
def test_a_story_has_so_many_dates_and_no_more(count: int, found: int) -> None:
    assert len(read("It rained on Monday. " * count)) == found


# Written and marked before the program ran on them. The reference date is Wednesday 29 January 2025.
MARKED = [
    ("He wants a second referendum.", []),
    ("Three-quarters of those asked said yes.", []),
    ("It was a quarter-mile walk to a second bridge.", []),
    ("The shop opens on Friday.", [("Friday", "2025-01-31")]),
    ("The band plays Oslo on Saturday.", [("Saturday", "2025-02-01")]),
    ("The ministers are to meet on Saturday.", [("Saturday", "2025-02-01")]),
    ("The ministers met on Saturday.", [("Saturday", "2025-01-25")]),
    ("The shop, which opened on Friday, was full.", [("Friday", "2025-01-24")]),
    ("In 2019, the council voted in March to close it.", [("2019", "2019"), ("March", "2019-03")]),
    ("In 2019 they signed. The bridge fell in May.", [("2019", "2019"), ("May", "2019-05")]),
    ("The firm, which has grown since 1980, hired in November.", [("1980", "1980"), ("November", "2024-11")]),
    (
        "Net profit for the third quarter rose to $5.1 million from $4 million a year earlier.",
        [("the third quarter", "2024-Q3"), ("a year earlier", "2023-Q3")],
    ),
    (
        "In the third quarter it sold 300 ferries. Sales in the quarter rose from 200 in the year-earlier period.",
        [
            ("the third quarter", "2024-Q3"),
            ("the quarter", "2024-Q3"),
            ("the year-earlier period", "2023-Q3"),
        ],
    ),
    ("It lost money in the latest quarter.", [("the latest quarter", "2024-Q4")]),
    ("She retired a year ago.", [("a year ago", "2024")]),
    ("They married in nineteen ninety-six.", [("nineteen ninety-six", "1996")]),
    ("The clip ran for a second.", []),
    ("A quarter of the voters stayed at home.", []),
]


@pytest.mark.parametrize(("text", "expected"), MARKED)
def test_fractions_tense_quarters_and_the_year_of_the_paragraph(
    text: str, expected: list[tuple[str, str]]
) -> None:
    assert [(date.text, date.value) for date in read(text) if date.type == "DATE"] == expected


def test_a_fraction_is_no_duration_and_a_second_may_be_one() -> None:
    found = read("Three-quarters of them left. A second vote took a second, a quarter of an hour less.")
    assert [date.text for date in found if date.type == "DURATION" and "second" in date.text] == ["a second"]
    assert [date.text for date in found if "quarter" in date.text] == []


@pytest.mark.parametrize(
    ("created", "longitude", "value"),
    [
        ("2025-01-30T03:40:00Z", -118.2, "2025-01-29"),  # Los Angeles, Wednesday evening
        ("2025-01-29T20:10:00Z", 151.2, "2025-01-30"),  # Sydney, Thursday morning
        ("2025-01-30T08:00:00Z", -118.2, "2025-01-30"),  # midnight there: a date without a time
        ("2025-01-30T00:00:00Z", 2.3, "2025-01-30"),
        ("2025-01-29T12:00:00Z", -118.2, "2025-01-29"),
    ],
)
def test_today_is_the_day_at_the_place_of_the_dateline(created: str, longitude: float, value: str) -> None:
    dateline = Dateline(0, 0, places=(Place(longitude=longitude, latitude=0.0),))
    story = Story(uri="urn:x", version_created=created)
    found = find_dates(Event(story, text="It rains today.", language=Language("en", 1.0), dateline=dateline))
    assert [each.value for each in found] == [value]
