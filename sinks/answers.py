"""What the servers of others answer, and what is done about it: one table for the index and the broker.

`find_answer` looks an answer up; the first row that fits counts. A row says whose fault it is and what follows:

================  ====================================================================================================
fault             what is done
================  ====================================================================================================
document          that story is set aside, as its dead letter, and the rest goes on
month, alias      the stories of that month wait by themselves, on a topic of their own, and the rest goes on
cluster           all wait in place: nothing is committed, so nothing is lost
credentials       the file of the secret is read again; where it says nothing new, the command ends with status 2
rights            all wait in place, of Kafka that step alone: the message names what is denied
ours              all wait in place: it is a fault of ours to report, and nothing ends the process
================  ====================================================================================================

The page ``docs/what-happens.md`` is written from this table (``make answers``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal

Server = Literal["index", "broker"]
Fault = Literal["document", "month", "alias", "cluster", "ours", "credentials", "rights"]
Reaction = Literal[
    "written", "set aside", "wait for that part", "wait for all", "read the secret again", "wait for that partition",
    "wait for that step", "renew the producer", "start again",
]  # fmt: skip
# What the refused request was about. One about all of the index names no document and no month.
RequestSubject = Literal["document", "month", "index"]
ANY_STATUS: Final[frozenset[int]] = frozenset()  # every status
LOOKED_AT: Final = (
    200  # the server refuses nothing: what it shows of an index or a template is not as it must be
)


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """A row of the table.

    Attributes:
        server: who answers.
        statuses: of HTTP; for the broker, its error codes. `ANY_STATUS` fits all.
        kinds: the error's types, of which the answer has one; empty fits all.
        words: a pattern that the reason must have.
        subjects: what the request was about; empty fits all.
        fault: whose fault it is.
        reaction: what is done.
        situation: when a server says so, in words for the page.
        remedy: what mends it, in words for the page and for the message; {part} stands for the index or topic.
    """

    server: Server
    statuses: frozenset[int]
    kinds: frozenset[str]
    words: str
    subjects: frozenset[RequestSubject]
    fault: Fault
    reaction: Reaction
    situation: str
    remedy: str = ""


def _row(
    statuses: Iterable[int],
    kinds: str,
    words: str,
    subjects: str,
    fault: Fault,
    reaction: Reaction,
    situation: str,
    remedy: str = "",
) -> AnswerRow:
    chosen: frozenset[RequestSubject] = frozenset(subjects.split())  # type: ignore[arg-type]  # the tests know all of them
    kind_names = frozenset(kinds.split())
    return AnswerRow(
        "index", frozenset(statuses), kind_names, words, chosen, fault, reaction, situation, remedy
    )


_CREATE: Final = "run `wiredesk index create`"
_REINDEX: Final = "run `wiredesk index reindex`"
_PART: Final = "wait for that part"
_SHARDS: Final = (
    "unavailable_shards_exception no_shard_available_action_exception search_phase_execution_exception "
    "primary_missing_action_exception shard_not_in_primary_mode_exception node_closed_exception"
)
_REFUSED: Final = "document_parsing_exception mapper_parsing_exception strict_dynamic_mapping_exception illegal_argument_exception"
# fmt: off
INDEX_ANSWERS: Final = (
    # a document
    _row({409}, "version_conflict_engine_exception", "", "document", "document", "written",
         "a later version of the story is there already"),
    _row({413}, "", "", "document", "document", "set aside",
         "one story is larger than a request may be", "raise http.max_content_length, then `wiredesk dlq replay`"),
    _row({429}, "es_rejected_execution_exception", r"operation_bytes=(?P<wanted>\d+).*max_\w+bytes=(?P<limit>\d+)",
         "document", "document", "set aside",
         "one story is larger than the server's indexing pressure allows, however idle it is",
         "give the server a larger heap, then `wiredesk dlq replay`"),
    _row({429}, "circuit_breaking_exception", "", "document", "document", "set aside",
         "one story is larger than a circuit breaker of the server allows, however idle it is",
         "give the server a larger heap, then `wiredesk dlq replay`"),
    # a month
    _row({400}, "index_closed_exception", "", "document month", "month", _PART,
         "a month's index is closed", "open it: POST {part}/_open"),
    _row({403, 429, 503}, "cluster_block_exception", r"index \[", "document month", "month", _PART,
         "a month's index is read-only: a block of an operator's, or a disk that is nearly full",
         "free the disk, or take the block away: PUT {part}/_settings"),
    _row({400}, "validation_exception", "maximum .*shards open", "month", "month", _PART,
         "the server has no room for one more index: a new month can't be made",
         "raise cluster.max_shards_per_node, or `wiredesk index prune`"),
    _row({400}, "", "", "month", "month", _PART,
         "the index of a new month is refused, such as by a limit of fields that a template sets", _CREATE),
    _row({LOOKED_AT}, "contract", "", "month", "month", _PART,
         "a month's index was made with another mapping", _REINDEX),
    _row({LOOKED_AT}, "template", "", "month", "month", _PART,
         "another template would make the next month's index", _CREATE),
    _row({500, 503}, _SHARDS, "", "document month", "month", _PART,
         "a month's index has no shard that is at work", "see why: GET _cluster/allocation/explain"),
    # an alias
    _row({400}, "illegal_argument_exception", "no write index|more than one write index", "document month", "alias", _PART,
         "a month's alias stands for two indices, and for none to write", _CREATE),
    _row({404}, "index_not_found_exception", "", "document month", "alias", _PART,
         "a month's index is there without the alias through which it is written", _CREATE),
    # a document again: what is no month's and no alias's fault
    _row({400}, _REFUSED, "", "document", "document", "set aside",
         "one story does not fit the mapping", "report it, then `wiredesk dlq replay`"),
    _row({400}, "", "", "document", "document", "set aside",
         "a request with one story's own words is refused, and others are not", "report it, then `wiredesk dlq replay`"),
    # credentials and rights
    _row({401}, "", "", "", "credentials", "read the secret again",
         "user, password or key are refused",
         "put the new one into the file of elasticsearch.password or elasticsearch.api_key"),
    _row({403}, "security_exception", "", "", "rights", "wait for all",
         "something is denied to the user or key", "let its role do this: docs/operating.md"),
    # the cluster
    _row({403, 429, 503}, "cluster_block_exception", "", "", "cluster", "wait for all",
         "the cluster has no master, has not read its state, or is read-only as a whole",
         "see GET _cluster/health and cluster.blocks"),
    _row({404}, "index_not_found_exception resource_not_found_exception", "", "", "alias", "wait for all",
         "the index of marks, the read alias or a template is missing", _CREATE),
    _row({400}, "index_closed_exception", "", "index", "cluster", "wait for all",
         "the index of marks is closed", "open it: POST {part}/_open"),
    _row({408, 429}, "", "", "", "cluster", "wait for all",
         "the server is overloaded", "the server is overloaded, which passes by itself; or give it more memory"),
    _row({500, 502, 503, 504, 507}, "", "", "", "cluster", "wait for all",
         "the server starts, stops, or has a fault of its own", "see the server's log"),
    _row({0}, "", "", "", "cluster", "wait for all",
         "nothing answers, or not in time, or it is no Elasticsearch 8",
         "start Elasticsearch, or set elasticsearch.url"),
    # the rest
    _row(ANY_STATUS, "", "", "", "ours", "wait for all",
         "any other answer", "report it"),
)
# fmt: on


def _code(
    codes: Iterable[int], kinds: str, fault: Fault, reaction: Reaction, situation: str, remedy: str
) -> AnswerRow:
    return replace(_row(codes, kinds, "", "", fault, reaction, situation, remedy), server="broker")


# Kafka's error codes: https://kafka.apache.org/protocol#protocol_error_codes
# fmt: off
BROKER_ANSWERS: Final = (
    _code({10, 18}, "MESSAGE_TOO_LARGE RECORD_LIST_TOO_LARGE", "document", "set aside",
          "a message is larger than its topic allows (a batch of several is sent in parts)",
          "raise max.message.bytes (`wiredesk topics check`), then `wiredesk dlq replay`"),
    _code({32, 44, 87}, "INVALID_TIMESTAMP POLICY_VIOLATION INVALID_RECORD", "document", "set aside",
          "a message is against a rule of its topic: its time, its key, a policy",
          "see how the topic is set (`wiredesk topics check`), then `wiredesk dlq replay`"),
    _code({2}, "CORRUPT_MESSAGE", "cluster", "wait for that partition",
          "a batch is damaged on the broker's disk",
          "let another replica lead, or `wiredesk topics pass TOPIC/PARTITION/OFFSET`"),
    _code({29, 30, 31, 53}, "TOPIC_AUTHORIZATION_FAILED GROUP_AUTHORIZATION_FAILED CLUSTER_AUTHORIZATION_FAILED "
          "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "rights", "wait for that step",
          "an operation is denied to the user", "give the right back: `wiredesk topics grants`"),
    _code({19, 20}, "NOT_ENOUGH_REPLICAS NOT_ENOUGH_REPLICAS_AFTER_APPEND", "cluster", "wait for that step",
          "a topic has fewer replicas in sync than its min.insync.replicas", "start the missing brokers"),
    _code({45, 49, 59}, "OUT_OF_ORDER_SEQUENCE_NUMBER INVALID_PRODUCER_ID_MAPPING UNKNOWN_PRODUCER_ID", "cluster",
          "renew the producer", "the broker has forgotten the ids of a producer that was idle", "nothing: it passes by itself"),
    _code({47, 52, 90}, "INVALID_PRODUCER_EPOCH TRANSACTION_COORDINATOR_FENCED PRODUCER_FENCED", "ours", "start again",
          "another process has our name, or a transaction was open for too long",
          "give each worker a name of its own (kafka.worker)"),
    _code({33, 34, 58}, "UNSUPPORTED_SASL_MECHANISM ILLEGAL_SASL_STATE SASL_AUTHENTICATION_FAILED", "credentials",
          "read the secret again", "user, password or mechanism are refused",
          "put the new password into the file of kafka.password"),
    _code({3, 5, 6, 7, 14, 15, 16}, "", "cluster", "wait for all",
          "a broker starts, stops, or is not the one to ask", "start the missing brokers"),
    _code(ANY_STATUS, "", "ours", "start again", "any other answer", "report it"),
)
# fmt: on
ANSWERS: Final[tuple[AnswerRow, ...]] = (*INDEX_ANSWERS, *BROKER_ANSWERS)


def broker_codes(reaction: Reaction) -> frozenset[int]:
    """The broker's error codes about which something is done."""
    return frozenset(code for row in BROKER_ANSWERS if row.reaction == reaction for code in row.statuses)


def find_answer(
    server: Server, status: int, kind: str, reason: str, subject: RequestSubject, document_bytes: int = 0
) -> AnswerRow:
    """The row of an answer.

    Args:
        server: who answered.
        status: of HTTP; 0 where nothing answered.
        kind: the error's type.
        reason: in the server's words.
        subject: what the request was about.
        document_bytes: the size of the only document of the request; 0 where it has several, or none.
    """
    for row in ANSWERS:
        if row.server == server and _fits(row, status, kind, reason, subject):
            if row.statuses == {429} and not _is_over_limit(row, reason, document_bytes):
                continue
            return row
    raise AssertionError("the last row fits everything")


def _fits(row: AnswerRow, status: int, kind: str, reason: str, subject: RequestSubject) -> bool:
    return (
        (not row.statuses or status in row.statuses)
        and (not row.kinds or kind in row.kinds)
        and (not row.subjects or subject in row.subjects)
        and (not row.words or re.search(row.words, reason) is not None)
    )


def _is_over_limit(row: AnswerRow, reason: str, document_bytes: int) -> bool:
    """Whether one document alone is over a limit that the server names: waiting would never help."""
    if not document_bytes:
        return False
    if row.words:
        sizes = re.search(row.words, reason)
        return sizes is not None and int(sizes["wanted"]) > int(sizes["limit"])
    limit = re.search(r"limit of \[(\d+)/", reason)
    return limit is not None and document_bytes > int(limit[1])
