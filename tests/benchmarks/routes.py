"""What rules cost: CPU time of routing a story by 10, 100 and 1,000 rules, as a ratio to decoding it.

    python -m tests.benchmarks.routes

The peer is `processors.model.codec.decode` of the same events in the same run: whatever reads a story from a topic pays it.
The rules are of every kind, and some fit; "each rule asked" is what an index of the rules saves.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Final

from msgspec.structs import replace

from processors.media_topics import with_ancestors
from processors.model.codec import decode, encode
from processors.model.event import Entity, Event, Topic
from sinks.routes.router import ConditionKind, Router, RouteRule, compile_words
from streams.generate.examples import examples

STORIES: Final = 200
WORDS: Final = ("harbour", "ice", "ferry", "minister", "vote", "court", "flood", "rail", "strike", "bridge", "school",
                "market", "copper", "wheat", "storm", "match", "goal", "trial", "museum", "vaccine")  # fmt: skip
TOPICS: Final = (
    "medtop:20000343",
    "medtop:04000000",
    "medtop:11000000",
    "medtop:15000000",
    "medtop:03000000",
)


def stories(chance: random.Random) -> list[Event]:
    """Stories of about 400 words with a few names and topics."""
    told = examples()["event-new"]
    assert isinstance(told, Event)
    return [_story(told, number, chance) for number in range(STORIES)]


def rules(number: int, chance: random.Random) -> list[RouteRule]:
    """Rules of five kinds in equal parts; the rarest condition of most is held by few stories."""
    made = []
    for n in range(number):
        conditions: dict[ConditionKind, frozenset[str]] = {}
        words: tuple[str, ...] = ()
        match n % 5:
            case 0:
                conditions = {
                    "entity": frozenset({f"name {chance.randrange(number)}"}),
                    "language": frozenset({"en"}),
                }
            case 1:
                conditions = {
                    "topic": frozenset({f"medtop:{chance.randrange(10**8):08}"}),
                    "country": frozenset({"NL"}),
                }
            case 2:
                conditions = {"feed": frozenset({f"feed-{n}"}), "topic": frozenset({chance.choice(TOPICS)})}
            case 3:
                words = (
                    f"{chance.choice(WORDS)}{chance.randrange(100)}",
                    f"{chance.choice(WORDS)} {chance.choice(WORDS)}{chance.randrange(100)}",
                )
            case _:
                conditions = {"watchlist": frozenset({f"list-{n}"})}
        made.append(RouteRule(f"r{n}", conditions, None, compile_words(words)))
    return made


def main() -> None:
    """Print the table."""
    chance = random.Random(11)  # noqa: S311 -- the same stories and rules on every run
    events = stories(chance)
    encoded = [encode(event) for event in events]
    decoding = _cpu(lambda: [decode(each, Event) for each in encoded])
    print(f"decoding a story of {len(encoded[0]):,} bytes: {decoding * 1000:.3f} ms of CPU")
    print("| rules | ms of CPU a story | of decoding it | each rule asked, ms | routes a story |")
    print("|---|---|---|---|---|")
    for number in (10, 100, 1000):
        told = rules(number, chance)
        router = Router(told)
        routing = _cpu(lambda router=router: [router.route(event) for event in events])  # type: ignore[misc]  # a default binds
        few = events[:10]
        asking = _cpu(lambda router=router, few=few: [router.explain(event) for event in few], len(few))  # type: ignore[misc]  # the same
        routes = sum(len(router.route(event).routes) for event in events) / len(events)
        print(
            f"| {number:,} | {routing * 1000:.3f} | {routing / decoding:.2f} | {asking * 1000:.2f} | {routes:.1f} |"
        )


def _story(told: Event, number: int, chance: random.Random) -> Event:
    text = " ".join(f"{chance.choice(WORDS)}{chance.randrange(100)}" if chance.random() < 0.3 else chance.choice(WORDS)
                    for _ in range(400))  # fmt: skip
    entities = tuple(Entity(f"e{n}", "PER", f"Name {chance.randrange(1000)}") for n in range(8))
    topics = tuple(Topic(code, code, 0.9) for code in with_ancestors([chance.choice(TOPICS)])[:1])
    return replace(
        told, text=text, entities=entities, topics=topics, story=replace(told.story, uri=f"urn:{number}")
    )


def _cpu(run: Callable[[], Sequence[object]], number: int = STORIES) -> float:
    """Seconds of CPU a story, the best of five runs."""
    best = float("inf")
    for _ in range(5):
        began = time.process_time()
        run()
        best = min(best, time.process_time() - began)
    return best / number


if __name__ == "__main__":
    main()
