"""What follows of an event for those whom searches alert."""

from __future__ import annotations

from msgspec.structs import replace

from processors.model.event import Event
from processors.times import to_milliseconds
from sinks.alerts.decisions import Alert, AlertChanges, AlertLimits, count_key, decide_alerts
from sinks.alerts.matching import SearchMatcher
from sinks.alerts.saved import AlertRule, AlertTarget, SavedSearch
from tests.sinks.events import at, backfilled, event, sent_by

NOW = to_milliseconds(at(10))
DESK = AlertTarget("page")
LIMITS = AlertLimits(per_hour=3, listed=2)


def search(query: str, name: str = "s", **rule: object) -> SavedSearch:
    return SavedSearch(name, name, query, alert=AlertRule((DESK,), **rule))  # type: ignore[arg-type]


class Newsroom:
    """Searches, and the alerts that events have made so far."""

    def __init__(self, *searches: SavedSearch, limits: AlertLimits = LIMITS) -> None:
        self.matcher, self.limits, self.now = SearchMatcher(searches), limits, NOW
        self.alerts: dict[str, Alert] = {}
        self.stored: dict[tuple[str, int], int] = {}
        self.more = 0

    def get(self, *events: Event) -> AlertChanges:
        for one in events:
            earlier = [alert for alert in self.alerts.values() if alert.chain == one.lineage.story]  # type: ignore[union-attr]
            changes = decide_alerts(one, self.matcher.match(one), earlier, self.stored, self.limits, self.now)
            for alert in (*changes.added, *changes.changed):
                self.alerts[alert.id] = alert
            for key, count in changes.stored.items():
                self.stored[key] = self.stored.get(key, 0) + count
            self.more += sum(changes.more.values())
        return changes

    def deliver(self) -> None:
        self.alerts = {
            name: replace(alert, state="written") if alert.state == "waiting" else alert
            for name, alert in self.alerts.items()
        }

    @property
    def kinds(self) -> list[str]:
        return [alert.kind for alert in self.alerts.values() if alert.state != "dropped"]


FERRY = event("urn:ferry", headline="Ferry to Veldhaven stops", version="1")
KILL = event(
    "urn:ferry-kill", headline="KILL", text="Kill the story.", relation="kill", chain="urn:ferry", of="urn:ferry",
    sequence=2, status="canceled",
)  # fmt: skip
CORRECTION = event(
    "urn:ferry-corrected", headline="Boat stops", text="It was no such thing.", relation="correction",
    chain="urn:ferry", of="urn:ferry", sequence=2,
)  # fmt: skip


def test_a_story_that_fits_makes_one_alert_that_says_why() -> None:
    newsroom = Newsroom(search("ferry feed:nda -copper"))
    newsroom.get(FERRY)
    [alert] = newsroom.alerts.values()
    assert (alert.kind, alert.uri, alert.headline, alert.due) == (
        "story",
        "urn:ferry",
        "Ferry to Veldhaven stops",
        0,
    )
    assert [(reason.part, reason.inside) for reason in alert.reasons] == [
        ("ferry", "headline"),
        ("feed:nda", "feed"),
    ]
    assert alert.query[alert.reasons[1].start :][:8] == "feed:nda"


def test_the_same_version_again_makes_no_other_and_a_new_one_does() -> None:
    newsroom = Newsroom(search("ferry"))
    newsroom.get(FERRY, FERRY)
    assert newsroom.kinds == ["story"]
    newsroom.deliver()
    newsroom.get(
        event("urn:ferry", headline="Ferry sails again", version="2", relation="update", of="urn:ferry")
    )
    assert newsroom.kinds == ["story", "story"]


def test_repeats_and_old_news_alert_nobody() -> None:
    newsroom = Newsroom(search("ferry"))
    newsroom.get(
        event("urn:copy", headline="Ferry", relation="duplicate", chain="urn:x", of="urn:x"),
        backfilled(event("urn:old", headline="Ferry")),
    )
    assert newsroom.kinds == []


def test_a_kill_follows_whoever_got_its_story_though_it_fits_no_search() -> None:
    newsroom = Newsroom(search("ferry"), search("copper", "other"))
    newsroom.get(FERRY)
    newsroom.deliver()
    newsroom.get(KILL)
    story, kill = newsroom.alerts.values()
    assert (kill.kind, kill.follows, kill.search, kill.due, kill.targets) == (
        "kill",
        story.id,
        "s",
        0,
        (DESK,),
    )
    assert story.withdrawn == "killed"
    newsroom.get(KILL)
    assert newsroom.kinds == ["story", "kill"], "and once"


def test_a_kill_of_what_nobody_got_drops_it_and_tells_nothing() -> None:
    newsroom = Newsroom(search("ferry", rhythm="day"))
    newsroom.get(FERRY, KILL)
    assert newsroom.kinds == []
    assert [alert.withdrawn for alert in newsroom.alerts.values()] == ["killed"]


def test_a_kill_reaches_a_search_that_asks_for_kills_and_no_other() -> None:
    newsroom = Newsroom(search("is:kill", "kills"), search("kill", "words"))
    newsroom.get(KILL)
    assert [(alert.search, alert.kind) for alert in newsroom.alerts.values()] == [("kills", "kill")]


def test_a_story_sent_as_cancelled_is_a_kill() -> None:
    newsroom = Newsroom(search("ferry"))
    newsroom.get(FERRY)
    newsroom.deliver()
    newsroom.get(
        event(
            "urn:ferry", headline="Ferry", version="2", relation="update", of="urn:ferry", status="canceled"
        )
    )
    assert newsroom.kinds == ["story", "kill"]


def test_another_sources_kill_withdraws_only_the_story_that_it_names() -> None:
    newsroom = Newsroom(search("ferry"))
    second = event(
        "urn:ferry-2", headline="Ferry two", chain="urn:ferry", relation="update", of="urn:ferry", sequence=2
    )
    newsroom.get(FERRY, second)
    newsroom.deliver()
    guest = event(
        "urn:guest", relation="kill", chain="urn:ferry", of="urn:ferry-2", sequence=3, status="canceled",
        headline="x", text="y",
    )  # fmt: skip
    newsroom.get(sent_by("elsewhere", guest, owner="nda"))
    assert {alert.uri: alert.withdrawn for alert in newsroom.alerts.values()} == {
        "urn:ferry": "", "urn:ferry-2": "killed", "urn:guest": "",
    }  # fmt: skip


def test_a_correction_follows_and_says_so() -> None:
    newsroom = Newsroom(search("ferry"))
    newsroom.get(FERRY)
    newsroom.deliver()
    newsroom.get(CORRECTION)
    story, correction = newsroom.alerts.values()
    assert (correction.kind, correction.follows) == ("correction", story.id)
    assert story.withdrawn == "corrected"


def test_a_correction_that_fits_the_search_says_why_as_well() -> None:
    newsroom = Newsroom(search("ferry OR boat"))
    newsroom.get(FERRY)
    newsroom.deliver()
    newsroom.get(CORRECTION)
    correction = list(newsroom.alerts.values())[-1]
    assert [reason.part for reason in correction.reasons] == ["boat"]


def test_a_search_that_pauses_makes_no_alerts_but_its_kills_follow() -> None:
    newsroom = Newsroom(search("ferry"))
    newsroom.get(FERRY)
    newsroom.deliver()
    newsroom.matcher = SearchMatcher([search("ferry", paused=True)])
    newsroom.get(event("urn:other", headline="Ferry"), KILL)
    assert newsroom.kinds == ["story", "kill"]


def test_an_embargo_is_kept_and_a_kill_before_its_end_drops_the_alert() -> None:
    newsroom = Newsroom(search("ferry"))
    newsroom.get(event("urn:ferry", headline="Ferry", embargo=at(60)))
    assert [alert.visible for alert in newsroom.alerts.values()] == [to_milliseconds(at(60))]
    newsroom.get(KILL)
    assert newsroom.kinds == []


def test_what_is_withheld_without_end_alerts_nobody() -> None:
    newsroom = Newsroom(search("ferry"))
    newsroom.get(event("urn:ferry", headline="Ferry", status="withheld"))
    assert newsroom.kinds == []


def test_a_version_that_comes_before_the_digest_takes_the_place_of_the_one_before() -> None:
    newsroom = Newsroom(search("ferry", rhythm="hour"))
    newsroom.get(
        FERRY, event("urn:ferry", headline="Ferry sails", version="2", relation="update", of="urn:ferry")
    )
    assert [a.headline for a in newsroom.alerts.values() if a.state == "waiting"] == ["Ferry sails"]


def test_what_is_over_the_limit_comes_as_a_digest_that_counts_the_rest() -> None:
    newsroom = Newsroom(search(""))
    newsroom.get(*(event(f"urn:{n}") for n in range(10)))
    alone = [alert for alert in newsroom.alerts.values() if not alert.grouped]
    grouped = [alert for alert in newsroom.alerts.values() if alert.grouped]
    assert (len(alone), len(grouped), newsroom.more) == (3, 2, 5)
    assert {alert.due for alert in grouped} == {to_milliseconds(at(60))}, "the end of the hour"
    newsroom.now += 3_600_000
    newsroom.get(event("urn:next"))
    assert not newsroom.alerts[list(newsroom.alerts)[-1]].grouped, "a new hour"


def test_kills_are_told_beyond_every_limit() -> None:
    newsroom = Newsroom(search("ferry"), limits=AlertLimits(1, 1))
    newsroom.get(FERRY)
    newsroom.deliver()
    newsroom.get(*(event(f"urn:{n}", headline="Ferry") for n in range(5)), KILL)
    assert newsroom.kinds[-1] == "kill"


def test_quiet_hours_hold_stories_back_and_no_kills() -> None:
    newsroom = Newsroom(search("ferry", quiet_from="12:00", quiet_until="14:30"))
    newsroom.get(FERRY)
    [story] = newsroom.alerts.values()
    assert (story.due, story.grouped) == (to_milliseconds(at(150)), True)
    newsroom.deliver()
    newsroom.get(KILL)
    assert [alert.due for alert in newsroom.alerts.values()] == [story.due, 0]


def test_alerts_of_a_day_are_counted_by_the_day() -> None:
    daily = search("", rhythm="day", at="08:00")
    assert count_key(daily, NOW) == ("s", to_milliseconds("2026-02-01T08:00:00.000Z"))
