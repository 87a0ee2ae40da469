"""Open transactions of a partition: whose they are, so that an operator can end the one that holds everybody up.

A reader of committed records gets nothing beyond the first record of the oldest open transaction (the last stable
offset), whoever's it is.
"""

from __future__ import annotations

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, for_code

from streams.kafka.faust_internals import send_to_node
from streams.kafka.protocol import DescribeProducersRequest, ListTransactionsRequest


async def describe_open_transaction(
    admin: AIOKafkaAdminClient, partition: TopicPartition, leader: int
) -> str:
    """Say whose transaction has been open for longest in a partition, as far as we may see it."""
    place = f"{partition.topic}/{partition.partition}"
    try:
        answer = await send_to_node(
            admin, leader, DescribeProducersRequest(partition.topic, partition.partition)
        )
        _, code, _, producers, _ = answer.topics[0][1][0]
        if code:
            raise for_code(code)
    except (KafkaError, OSError, LookupError, TimeoutError) as error:
        return (
            f"{place} is behind an open transaction of a producer that we can't see ({type(error).__name__})"
        )
    open_from = {producer[0]: producer[5] for producer in producers if producer[5] >= 0}
    if not open_from:
        return f"{place} is behind a transaction that has just ended"
    producer_id = min(open_from, key=lambda producer: open_from[producer])
    identity = await _transactional_id(admin, producer_id)
    return (
        f"{place} is behind an open transaction of producer id {producer_id}{identity}; where it hangs: "
        f"kafka-transactions.sh abort --topic {partition.topic} --partition {partition.partition} "
        f"--start-offset {open_from[producer_id]}"
    )


async def _transactional_id(admin: AIOKafkaAdminClient, producer_id: int) -> str:
    cluster = await admin.describe_cluster()
    for broker in cluster["brokers"]:
        try:
            answer = await send_to_node(admin, broker["node_id"], ListTransactionsRequest(producer_id))
        except (KafkaError, OSError, TimeoutError):
            continue
        for identity, *_ in answer.transactions:
            return f" ({identity})"
    return ""
