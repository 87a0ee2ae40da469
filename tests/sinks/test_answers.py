"""The table of answers, row by row: what a server says, in its own words, and what wiredesk does about it."""

from __future__ import annotations

from typing import Final

from sinks.answers import (
    ANSWERS,
    BROKER_ANSWERS,
    INDEX_ANSWERS,
    AnswerRow,
    Reaction,
    RequestSubject,
    find_answer,
)

PART: Final = "wait for that part"
PRESSURE: Final = (
    "rejected execution of coordinating operation [coordinating_and_primary_bytes={held}, replica_bytes=0, "
    "all_bytes={held}, coordinating_operation_bytes={asked}, max_coordinating_and_primary_bytes=26843545]"
)
BREAKER: Final = (
    "[parent] Data too large, data for [<http_request>] would be [300000000/286.1mb], which is larger than the "
    "limit of [255013683/243.1mb], real usage: [255000000/243mb]"
)
SHARDS: Final = (
    "Validation Failed: 1: this action would add [1] shards, but this cluster currently has [7]/[1] maximum normal "
    "shards open; for more information, see https://www.elastic.co/"
)
# status, type, reason, what the request was about, bytes of its only document, whose fault, what is done
CASES: Final[tuple[tuple[int, str, str, RequestSubject, int, str, Reaction], ...]] = (
    (409, "version_conflict_engine_exception", "current version [7] is higher", "document", 9, "document", "written"),
    (413, "", "", "document", 9, "document", "set aside"),
    (429, "es_rejected_execution_exception", PRESSURE.format(held=0, asked=27_000_000), "document", 27_000_000,
     "document", "set aside"),
    (429, "circuit_breaking_exception", BREAKER, "document", 260_000_000, "document", "set aside"),
    (400, "index_closed_exception", "closed", "document", 9, "month", PART),
    (403, "cluster_block_exception", "index [wire-stories-2025.05-000001] blocked by: [FORBIDDEN/8/index write (api)];",
     "document", 9, "month", PART),
    (429, "cluster_block_exception", ("index [wire-stories-2025.05-000001] blocked by: [TOO_MANY_REQUESTS/12/disk usage "
     "exceeded flood-stage watermark, index has read-only-allow-delete block];"), "document", 9, "month", PART),
    (400, "validation_exception", SHARDS, "month", 0, "month", PART),
    (400, "illegal_argument_exception", "Limit of total fields [10] has been exceeded", "month", 0, "month", PART),
    (200, "contract", "", "month", 0, "month", PART),
    (200, "template", "", "month", 0, "month", PART),
    (503, "unavailable_shards_exception", "[wire-stories-2025.05-000001][0] primary shard is not active", "document", 9,
     "month", PART),
    (400, "illegal_argument_exception", "no write index is defined for alias [wire-stories-2025.05].", "document", 9,
     "alias", PART),
    (404, "index_not_found_exception", "no such index [x] and [require_alias] request flag is [true]", "document", 9,
     "alias", PART),
    (400, "document_parsing_exception", "failed to parse field [urgency]", "document", 9, "document", "set aside"),
    (400, "strict_dynamic_mapping_exception", "dynamic introduction of [x] is not allowed", "document", 9, "document",
     "set aside"),
    (400, "illegal_argument_exception", "Term is longer than maximum indexable length", "document", 9, "document",
     "set aside"),
    (400, "too_many_nested_clauses", "Query contains too many nested clauses", "document", 0, "document", "set aside"),
    (401, "security_exception", "unable to authenticate user [sink]", "index", 0, "credentials", "read the secret again"),
    (401, "security_exception", "api key is expired", "document", 9, "credentials", "read the secret again"),
    (403, "security_exception", "action [indices:data/write/bulk] is unauthorized for user [sink]", "index", 0, "rights",
     "wait for all"),
    (403, "cluster_block_exception", "blocked by: [FORBIDDEN/6/cluster read-only (api)];", "document", 9, "cluster",
     "wait for all"),
    (503, "cluster_block_exception", "blocked by: [SERVICE_UNAVAILABLE/1/state not recovered / initialized];", "index", 0,
     "cluster", "wait for all"),
    (403, "cluster_block_exception", "index [wire-stories-marks] blocked by: [FORBIDDEN/8/index write (api)];", "index", 0,
     "cluster", "wait for all"),
    (404, "index_not_found_exception", "no such index [wire-stories-marks]", "index", 0, "alias", "wait for all"),
    (400, "index_closed_exception", "closed", "index", 0, "cluster", "wait for all"),
    (429, "es_rejected_execution_exception", "queue capacity is reached", "index", 0, "cluster", "wait for all"),
    (429, "es_rejected_execution_exception", PRESSURE.format(held=26_000_000, asked=5_000_000), "document", 5_000_000,
     "cluster", "wait for all"),
    (429, "circuit_breaking_exception", BREAKER, "document", 9, "cluster", "wait for all"),
    (500, "null_pointer_exception", "", "document", 9, "cluster", "wait for all"),
    (503, "master_not_discovered_exception", "", "index", 0, "cluster", "wait for all"),
    (0, "", "connection refused", "index", 0, "cluster", "wait for all"),
    (418, "teapot_exception", "a proxy's joke", "index", 0, "ours", "wait for all"),
    (400, "illegal_argument_exception", "unknown parameter", "index", 0, "ours", "wait for all"),
)  # fmt: skip


def test_an_answer_has_its_fault_and_its_reaction() -> None:
    for status, kind, reason, subject, size, fault, reaction in CASES:
        row = find_answer("index", status, kind, reason, subject, size)
        assert (row.fault, row.reaction) == (fault, reaction), (status, kind, reason, subject)


def test_every_row_of_the_index_has_its_case() -> None:
    hit: set[AnswerRow] = {find_answer("index", *case[:5]) for case in CASES}
    assert [row.situation for row in INDEX_ANSWERS if row not in hit] == []


def test_no_answer_is_without_a_row_and_none_ends_the_process() -> None:
    subjects: tuple[RequestSubject, ...] = ("document", "month", "index")
    for status in (0, *range(300, 600)):
        for subject in subjects:
            row = find_answer("index", status, "unheard_of_exception", "whatever it says", subject)
            assert row.reaction != "written", status
            if subject == "index":
                assert row.reaction in {"wait for all", "read the secret again"}, status


def test_every_row_says_what_happens_and_how_it_is_mended() -> None:
    for row in ANSWERS:
        assert row.situation
        assert row.reaction == "written" or row.remedy, row.situation
        row.remedy.format(part="wire-stories-2025.05-000001")


def test_a_code_of_the_broker_stands_in_one_row() -> None:
    codes = [code for row in BROKER_ANSWERS for code in row.statuses]
    assert len(codes) == len(set(codes))
    for code in codes:
        [row] = [row for row in BROKER_ANSWERS if code in row.statuses]
        assert find_answer("broker", code, next(iter(row.kinds), ""), "", "index") is row
    assert find_answer("broker", 9999, "", "", "index").reaction == "start again"
