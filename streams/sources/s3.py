"""Buckets of S3 and of compatible servers, listed by key. `streams.sources.sqs` hears of new objects instead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from streams.sources.aws import AwsClient, MissingObject, as_fault
from streams.sources.ports import SecretReader, SourceKind, SourceLimits
from streams.sources.remote_files import MAX_FILES, FolderOptions, FolderSource, RemoteFile


class BucketOptions(FolderOptions, frozen=True, kw_only=True):
    """The keys of a bucket."""

    bucket: str
    prefix: str = ""
    region: str = "us-east-1"
    endpoint: str = ""  # of a compatible server


class BucketFolder:
    """The objects under a prefix (`streams.sources.remote_files.FileServer`)."""

    has_folders = False

    def __init__(self, options: BucketOptions, secrets: SecretReader, limits: SourceLimits) -> None:
        """Nothing is connected yet."""
        self._options, self.max_parallel = options, options.connections
        self._aws = AwsClient("s3", options, secrets, limits)

    async def open(self) -> None:
        """Make the client."""
        await self._aws.open(self._options.connections)

    async def close(self) -> None:
        """Close the client."""
        await self._aws.close()

    async def list_files(self) -> Sequence[RemoteFile]:
        """The objects under the prefix, but for those that are done."""
        return await as_fault(self._list())

    async def _list(self) -> list[RemoteFile]:
        options, files = self._options, []
        done = f"{options.done}/" if options.after == "move" else None
        pages = self._aws.client.get_paginator("list_objects_v2").paginate(
            Bucket=options.bucket, Prefix=options.prefix
        )
        async for page in pages:
            for entry in page.get("Contents", ()):
                name = entry["Key"].removeprefix(options.prefix)
                if name and not name.endswith("/") and not (done and name.startswith(done)):
                    files.append(_as_file(name, entry["Size"], entry))
            if len(files) > MAX_FILES:
                break
        return files

    async def read(self, name: str, limit: int) -> bytes | None:
        """The first bytes of an object."""
        try:
            return await as_fault(
                read_object(self._aws.client, self._options.bucket, self._options.prefix + name, limit)
            )
        except MissingObject:
            return None

    async def find(self, name: str) -> RemoteFile | None:
        """An object by its name."""
        key = self._options.prefix + name
        try:
            head = await as_fault(self._aws.client.head_object(Bucket=self._options.bucket, Key=key))
        except MissingObject:
            return None
        return _as_file(name, head["ContentLength"], head)

    async def delete(self, name: str) -> None:
        """Delete an object."""
        await as_fault(
            self._aws.client.delete_object(Bucket=self._options.bucket, Key=self._options.prefix + name)
        )

    async def move(self, name: str, target: str) -> None:
        """Copy an object under another name, and delete it."""
        options, source = self._options, self._options.prefix + name
        copy = self._aws.client.copy_object(
            Bucket=options.bucket,
            Key=options.prefix + target,
            CopySource={"Bucket": options.bucket, "Key": source},
        )
        try:
            await as_fault(copy)
        except MissingObject:
            return
        await self.delete(name)


async def read_object(client: Any, bucket: str, key: str, limit: int) -> bytes:
    """The first bytes of an object."""
    answer = await client.get_object(Bucket=bucket, Key=key, Range=f"bytes=0-{limit - 1}")
    async with answer["Body"] as body:
        parts, size = [], 0
        while size < limit and (chunk := await body.read(min(65_536, limit - size))):
            parts.append(chunk)
            size += len(chunk)
    return b"".join(parts)


def _as_file(name: str, size: int, facts: Any) -> RemoteFile:
    return RemoteFile(
        name, int(size), int(facts["LastModified"].timestamp()), str(facts.get("ETag", "")).strip('"')
    )


def _place_of(options: BucketOptions) -> str:
    if options.endpoint and not options.endpoint.startswith(("https://", "http://")):
        raise ValueError("endpoint: an address that begins with https:// or http://")
    host = options.endpoint.partition("://")[2].strip("/") or "amazonaws.com"
    return f"s3://{host}/{options.bucket}/{options.prefix}"


def _make(options: BucketOptions, secrets: SecretReader, limits: SourceLimits) -> FolderSource:
    return FolderSource(options, BucketFolder(options, secrets, limits), limits)


SOURCE: Final = SourceKind(BucketOptions, _make, _place_of)
