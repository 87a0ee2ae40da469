"""Writes ``docs/what-happens.md`` from the table of `sinks.answers`. ``make answers``."""

from __future__ import annotations

from typing import Final

from config.files import CONFIG_FOLDER
from sinks.answers import ANSWERS, LOOKED_AT, AnswerRow, Reaction

PAGE: Final = CONFIG_FOLDER.parent / "docs" / "what-happens.md"
PAGE_HEAD: Final = """\
# What happens when
What the servers of others answer, and what wiredesk does about it. `make answers` writes this page from the table in `sinks/answers.py`, which the program follows; the first row that fits counts. No answer ends a process, but a user or key that stays refused.

| what is done | what that means | how it is told |
|---|---|---|
| set aside | that story becomes a dead letter, and all others go on | `wire_dead_letters_total`, `wiredesk dlq list`, the alert DeadLetterGrowth |
| wait for that part | the stories of that month are copied to `wire.stories.held.v1` and wait there; all others go on; once the month is back they are written, in any order, over restarts too | one line in the log, `/readyz` with the month and the reason, `wire_held_stories`, `wire_away_parts`, the alert MonthAway |
| wait for that partition | it waits before the damaged batch, and is tried again every ten seconds; all others go on. What reads a state leaves the batch out | one line with topic, partition and offset, `/readyz`, `wire_blocked_partitions`, the alert PartitionBlocked |
| wait for that step | nothing of that step is committed, the others go on | one line in the log, `/readyz`, `wire_retries_total`, `wire_stalled_seconds` |
| renew the producer | the transaction is aborted and run again with new ids | one line in the log |
| start again | the process takes its own place, at most 15 seconds later, and goes on from what is committed | one line in the log |
| wait for all | nothing is committed, nothing is lost; asked again after at most 15 seconds | one line in the log, `/readyz`, `wire_retries_total`, the alert BackingOff |
| read the secret again | the file of the secret is read again; where it says nothing new for 20 seconds, the command ends with status 2 and one line | `/readyz`, then the exit status |

No more than `elasticsearch.max_held` stories wait for a month; beyond that all wait. Where no month of the server can be written, it is the server that is waited for. A story whose earlier version may lie in a month that can't be searched waits for it, so that it is not stored twice. A kill hides at once what can be reached, and waits for the rest.
"""
SERVERS: Final = {"index": "Elasticsearch", "broker": "Kafka"}
NAMES: Final[dict[Reaction, str]] = {"written": "nothing: it is as it must be"}


def answers_page() -> str:
    """The page as it must be."""
    return PAGE_HEAD + "".join(_section(server, title) for server, title in SERVERS.items())


def main() -> None:
    """Write the page over the old one."""
    PAGE.write_text(answers_page(), "utf-8")


def _section(server: str, title: str) -> str:
    rows = [row for row in ANSWERS if row.server == server]
    if not rows:
        return ""
    lines = [
        f"\n## {title}",
        "| when | its words | whose fault | what is done | what mends it |",
        "|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *map(_line, rows)]) + "\n"


def _line(row: AnswerRow) -> str:
    numbers = "" if row.statuses == {0} else ", ".join(map(str, sorted(row.statuses)))
    kinds = ", ".join(f"`{kind}`" for kind in sorted(row.kinds))
    words = " ".join(part for part in (numbers, kinds) if part) or ("none" if row.statuses == {0} else "any")
    if row.statuses == {LOOKED_AT}:
        words = "none: it is looked at before it is written"
    remedy = row.remedy.format(part="INDEX") or "nothing"
    done = NAMES.get(row.reaction, row.reaction)
    return f"| {row.situation} | {words} | {row.fault} | {done} | {remedy} |"


if __name__ == "__main__":
    main()
