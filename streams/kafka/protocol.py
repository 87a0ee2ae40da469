"""Requests of Kafka's protocol that aiokafka has only in older versions (KIP-447), or lacks (KIP-664).

Source: https://kafka.apache.org/protocol, ``TxnOffsetCommit`` version 3 and ``OffsetFetch`` version 7;
``DescribeProducers`` and ``ListTransactions`` version 0; ``Metadata`` version 10, which has the identities of topics.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)

TEXT: Final = CompactString("utf-8")


def _by_topic(partitions: CompactArray) -> CompactArray:
    return CompactArray(("topic", TEXT), ("partitions", partitions), ("tags", TaggedFields))


class TxnOffsetCommitResponse_v3(Response):  # type: ignore[misc]  # noqa: N801 -- aiokafka's naming
    """An error code a partition."""

    API_KEY = 28
    API_VERSION = 3
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "topics",
            _by_topic(CompactArray(("partition", Int32), ("error_code", Int16), ("tags", TaggedFields))),
        ),
        ("tags", TaggedFields),
    )

    @property
    def errors(self) -> list[tuple[str, list[tuple[int, int]]]]:
        """As version 0 has them, which is what aiokafka's handler reads."""
        topics: list[Any] = self.topics
        return [
            (topic, [(partition, code) for partition, code, _ in partitions])
            for topic, partitions, _ in topics
        ]


class TxnOffsetCommitRequest_v3(RequestStruct):  # type: ignore[misc]  # noqa: N801 -- aiokafka's naming
    """Offsets in a transaction, with the member and the generation that commits them."""

    FLEXIBLE_VERSION = True
    API_KEY = 28
    API_VERSION = 3
    RESPONSE_TYPE = TxnOffsetCommitResponse_v3
    SCHEMA = Schema(
        ("transactional_id", TEXT),
        ("group_id", TEXT),
        ("producer_id", Int64),
        ("producer_epoch", Int16),
        ("generation_id", Int32),
        ("member_id", TEXT),
        ("group_instance_id", TEXT),
        (
            "topics",
            _by_topic(
                CompactArray(
                    ("partition", Int32),
                    ("offset", Int64),
                    ("leader_epoch", Int32),
                    ("metadata", TEXT),
                    ("tags", TaggedFields),
                )
            ),
        ),
        ("tags", TaggedFields),
    )


class TxnOffsetCommitRequest(Request[TxnOffsetCommitRequest_v3]):  # type: ignore[misc]
    """Builds the request from `topics` as aiokafka's handler makes them."""

    API_KEY = 28

    def __init__(
        self,
        transactional_id: str,
        group_id: str,
        producer_id: int,
        producer_epoch: int,
        generation_id: int,
        member_id: str,
        topics: list[tuple[str, list[tuple[int, int, str]]]],
    ) -> None:
        """A generation of -1 and no member: not sent, as in version 0."""
        self._head = (transactional_id, group_id, producer_id, producer_epoch, generation_id, member_id, None)
        self._topics: list[Any] = [
            (topic, [(partition, offset, -1, note, {}) for partition, offset, note in partitions], {})
            for topic, partitions in topics
        ]

    def build(self, request_struct_class: type[TxnOffsetCommitRequest_v3]) -> TxnOffsetCommitRequest_v3:
        """Return what is sent."""
        return request_struct_class(*self._head, self._topics, {})


class OffsetFetchResponse_v7(Response):  # type: ignore[misc]  # noqa: N801 -- aiokafka's naming
    """Offset, note and error code a partition."""

    API_KEY = 9
    API_VERSION = 7
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "topics",
            _by_topic(
                CompactArray(
                    ("partition", Int32),
                    ("offset", Int64),
                    ("leader_epoch", Int32),
                    ("metadata", TEXT),
                    ("error_code", Int16),
                    ("tags", TaggedFields),
                )
            ),
        ),
        ("error_code", Int16),
        ("tags", TaggedFields),
    )


class OffsetFetchRequest_v7(RequestStruct):  # type: ignore[misc]  # noqa: N801 -- aiokafka's naming
    """Committed offsets, and an error while one of them is undecided."""

    FLEXIBLE_VERSION = True
    API_KEY = 9
    API_VERSION = 7
    RESPONSE_TYPE = OffsetFetchResponse_v7
    SCHEMA = Schema(
        ("group_id", TEXT),
        ("topics", _by_topic(CompactArray(Int32))),
        ("require_stable", Boolean),
        ("tags", TaggedFields),
    )


class OffsetFetchRequest(Request[OffsetFetchRequest_v7]):  # type: ignore[misc]
    """Builds the request."""

    API_KEY = 9

    def __init__(self, group: str, topics: list[tuple[str, list[int]]]) -> None:
        """`topics` are names with their partitions."""
        self._group = group
        self._topics: list[Any] = [(topic, partitions, {}) for topic, partitions in topics]

    def build(self, request_struct_class: type[OffsetFetchRequest_v7]) -> OffsetFetchRequest_v7:
        """Return what is sent."""
        return request_struct_class(self._group, self._topics, True, {})  # noqa: FBT003 -- positional by the protocol


class DescribeProducersResponse_v0(Response):  # type: ignore[misc]  # noqa: N801 -- aiokafka's naming
    """The producers of each partition; `current_txn_start_offset` is -1 where one has no transaction open."""

    API_KEY = 61
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "topics",
            CompactArray(
                ("topic", TEXT),
                (
                    "partitions",
                    CompactArray(
                        ("partition", Int32),
                        ("error_code", Int16),
                        ("error_message", TEXT),
                        (
                            "producers",
                            CompactArray(
                                ("producer_id", Int64),
                                ("producer_epoch", Int32),
                                ("last_sequence", Int32),
                                ("last_timestamp", Int64),
                                ("coordinator_epoch", Int32),
                                ("current_txn_start_offset", Int64),
                                ("tags", TaggedFields),
                            ),
                        ),
                        ("tags", TaggedFields),
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class DescribeProducersRequest_v0(RequestStruct):  # type: ignore[misc]  # noqa: N801 -- aiokafka's naming
    """The producers that have written to partitions."""

    FLEXIBLE_VERSION = True
    API_KEY = 61
    API_VERSION = 0
    RESPONSE_TYPE = DescribeProducersResponse_v0
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(("topic", TEXT), ("partitions", CompactArray(Int32)), ("tags", TaggedFields)),
        ),
        ("tags", TaggedFields),
    )


class DescribeProducersRequest(Request[DescribeProducersRequest_v0]):  # type: ignore[misc]
    """Builds the request."""

    API_KEY = 61

    def __init__(self, topic: str, number: int) -> None:
        """Of one partition."""
        self._topic, self._number = topic, number

    def build(self, request_struct_class: type[DescribeProducersRequest_v0]) -> DescribeProducersRequest_v0:
        """Return what is sent."""
        return request_struct_class([(self._topic, [self._number], {})], {})


class ListTransactionsResponse_v0(Response):  # type: ignore[misc]  # noqa: N801 -- aiokafka's naming
    """The transactional ids that a broker coordinates and we may see."""

    API_KEY = 66
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("unknown_state_filters", CompactArray(TEXT)),
        (
            "transactions",
            CompactArray(
                ("transactional_id", TEXT), ("producer_id", Int64), ("state", TEXT), ("tags", TaggedFields)
            ),
        ),
        ("tags", TaggedFields),
    )


class ListTransactionsRequest_v0(RequestStruct):  # type: ignore[misc]  # noqa: N801 -- aiokafka's naming
    """Transactions by states and producer ids."""

    FLEXIBLE_VERSION = True
    API_KEY = 66
    API_VERSION = 0
    RESPONSE_TYPE = ListTransactionsResponse_v0
    SCHEMA = Schema(
        ("states", CompactArray(TEXT)), ("producer_ids", CompactArray(Int64)), ("tags", TaggedFields)
    )


class ListTransactionsRequest(Request[ListTransactionsRequest_v0]):  # type: ignore[misc]
    """Builds the request."""

    API_KEY = 66

    def __init__(self, producer_id: int) -> None:
        """Of one producer."""
        self._producer_id = producer_id

    def build(self, request_struct_class: type[ListTransactionsRequest_v0]) -> ListTransactionsRequest_v0:
        """Return what is sent."""
        return request_struct_class([], [self._producer_id], {})


class TopicIdsResponse_v10(Response):  # type: ignore[misc]  # noqa: N801 -- aiokafka's naming
    """Brokers and topics; the identity of a topic is a UUID, read as two numbers."""

    API_KEY = 3
    API_VERSION = 10
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32), ("host", TEXT), ("port", Int32), ("rack", TEXT), ("tags", TaggedFields)
            ),
        ),
        ("cluster_id", TEXT),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", TEXT),
                ("id_high", Int64),
                ("id_low", Int64),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("operations", Int32),
        ("tags", TaggedFields),
    )

    @property
    def ids(self) -> dict[str, tuple[int, int]]:
        """The identity of each topic that is there."""
        topics: list[Any] = self.topics
        return {name: (high, low) for code, name, high, low, *_ in topics if not code}


class TopicIdsRequest_v10(RequestStruct):  # type: ignore[misc]  # noqa: N801 -- aiokafka's naming
    """Topics by their names."""

    FLEXIBLE_VERSION = True
    API_KEY = 3
    API_VERSION = 10
    RESPONSE_TYPE = TopicIdsResponse_v10
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(("id_high", Int64), ("id_low", Int64), ("name", TEXT), ("tags", TaggedFields)),
        ),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class TopicIdsRequest(Request[TopicIdsRequest_v10]):  # type: ignore[misc]
    """Builds the request; no topic is made by it."""

    API_KEY = 3

    def __init__(self, topics: Iterable[str]) -> None:
        """`topics` are names on the broker."""
        self._topics: list[Any] = [(0, 0, topic, {}) for topic in topics]

    def build(self, request_struct_class: type[TopicIdsRequest_v10]) -> TopicIdsRequest_v10:
        """Return what is sent."""
        return request_struct_class(self._topics, False, False, False, {})  # noqa: FBT003 -- positional by the protocol
