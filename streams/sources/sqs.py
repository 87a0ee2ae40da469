"""Queues of SQS: their messages are items themselves, or notices of S3 that an object is there.

A message is deleted once it is safe; until then the queue shows it again after its visibility timeout, with another
receipt and the same id. A notice may name objects of the operator's bucket only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Final
from urllib.parse import unquote_plus

import orjson
from msgspec import Meta, Struct

from processors.errors import Malformed, Rejected, TooLarge
from streams.files import printable_path
from streams.sources.aws import AwsClient, MissingObject, as_fault
from streams.sources.ports import (
    IsKnown,
    SecretReader,
    SourceBatch,
    SourceFault,
    SourceItem,
    SourceKind,
    SourceLimits,
)
from streams.sources.s3 import read_object

MESSAGES: Final = 10  # that SQS gives and deletes at once


class QueueOptions(Struct, frozen=True, kw_only=True):
    """The keys of a queue. With a `bucket` its messages are notices of that bucket; without, they are the items."""

    queue: str  # its address
    bucket: str = ""
    region: str = "us-east-1"
    endpoint: str = ""  # of a compatible server
    media_type: str | None = None
    connections: Annotated[int, Meta(ge=1, le=16)] = 8


class QueueSource:
    """A queue (`streams.sources.ports.Source`)."""

    def __init__(self, options: QueueOptions, secrets: SecretReader, limits: SourceLimits) -> None:
        """Nothing is connected yet."""
        self._options, self._limits = options, limits
        self._queue = AwsClient("sqs", options, secrets, limits)
        self._bucket = AwsClient("s3", options, secrets, limits) if options.bucket else None

    async def open(self) -> None:
        """Make the clients."""
        await self._queue.open(self._options.connections)
        if self._bucket:
            await self._bucket.open(self._options.connections * 2)

    async def close(self) -> None:
        """Close the clients."""
        await self._queue.close()
        if self._bucket:
            await self._bucket.close()

    async def items(self, cursor: str, is_known: IsKnown) -> SourceBatch:
        """The messages that the queue shows now. There is no cursor: what is deleted is behind it."""
        calls = (as_fault(self._receive()) for _ in range(self._options.connections))
        messages = [message for answer in await asyncio.gather(*calls) for message in answer]
        items = [
            item
            for found in await asyncio.gather(*(self._read_message(m, is_known) for m in messages))
            for item in found
        ]
        return SourceBatch(
            items, cursor, [message["ReceiptHandle"] for message in messages], more=bool(messages)
        )

    async def commit(self, receipts: Sequence[str]) -> None:
        """Delete messages. A receipt that has run out is no fault: the message comes again, and is known."""
        groups = [receipts[start : start + MESSAGES] for start in range(0, len(receipts), MESSAGES)]
        for start in range(0, len(groups), self._options.connections):
            await asyncio.gather(
                *(self._delete(group) for group in groups[start : start + self._options.connections])
            )

    async def _receive(self) -> Sequence[Any]:
        answer = await self._queue.client.receive_message(
            QueueUrl=self._options.queue, MaxNumberOfMessages=MESSAGES, WaitTimeSeconds=0
        )
        return list(answer.get("Messages", ()))

    async def _delete(self, receipts: Sequence[str]) -> None:
        entries = [{"Id": str(number), "ReceiptHandle": receipt} for number, receipt in enumerate(receipts)]
        try:
            await as_fault(
                self._queue.client.delete_message_batch(QueueUrl=self._options.queue, Entries=entries)
            )
        except MissingObject as error:
            raise SourceFault("http_4xx", "there is no such queue") from error

    async def _read_message(self, message: Any, is_known: IsKnown) -> list[SourceItem]:
        """The items of a message: itself, or the objects that it names."""
        name, body = str(message["MessageId"]), str(message["Body"])
        if self._bucket is None:
            fault = (
                TooLarge("a message over poll.max_body_bytes")
                if len(body) > self._limits.max_item_bytes
                else None
            )
            return [
                SourceItem(
                    name, body.encode("utf-8", "replace"), name, self._options.media_type, "utf-8", fault
                )
            ]
        try:
            named = _objects_of(body, self._options.bucket)
        except Malformed as error:
            return [SourceItem(name, body.encode("utf-8", "replace"), name, fault=error)]
        wanted = [(f"{key}\n{tag}", key) for key, tag in named if not is_known(f"{key}\n{tag}")]
        return [await self._read_object(identity, key) for identity, key in wanted]

    async def _read_object(self, identity: str, key: str) -> SourceItem:
        assert self._bucket
        limit, shown = self._limits.max_item_bytes, printable_path(key)
        fault: Rejected | None = None
        try:
            payload = await as_fault(read_object(self._bucket.client, self._options.bucket, key, limit + 1))
        except MissingObject:
            return SourceItem(
                identity, b"", shown, fault=Malformed(f"{shown}: the object is not there any more")
            )
        except SourceFault as error:
            error.item = SourceItem(identity, b"", shown)
            raise
        if len(payload) > limit:
            fault, payload = (
                TooLarge(f"{shown}: over the {limit} bytes of poll.max_body_bytes"),
                payload[:limit],
            )
        return SourceItem(identity, payload, shown, self._options.media_type, fault=fault)


def _objects_of(body: str, bucket: str) -> list[tuple[str, str]]:
    """Key and tag of each object that a notice of S3 tells of, by SNS or without it; none for a test's notice.

    Raises:
        Malformed: it is none, or of another bucket.
    """
    try:
        notice = orjson.loads(body)
        if "Message" in notice:
            notice = orjson.loads(notice["Message"])
        if notice.get("Event") == "s3:TestEvent":
            return []
        objects = []
        for record in notice["Records"]:
            if record["s3"]["bucket"]["name"] != bucket:
                raise Malformed("a notice of another bucket")
            if str(record["eventName"]).removeprefix("s3:").startswith("ObjectCreated"):
                told = record["s3"]["object"]
                objects.append(
                    (unquote_plus(str(told["key"])), str(told.get("eTag") or told.get("sequencer", "")))
                )
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise Malformed("a message that is no notice of S3") from error
    return objects


def _place_of(options: QueueOptions) -> str:
    if not options.queue.startswith(("https://", "http://")):
        raise ValueError("queue: its address, which begins with https://")
    return f"sqs://{options.queue.partition('://')[2]}"


SOURCE: Final = SourceKind(QueueOptions, QueueSource, _place_of)
