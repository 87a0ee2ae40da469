"""Real servers on loopback with invented stories in them: SFTP, FTP, S3 and SQS, IMAP, and an API with receipts.

Each says which stories it was told are safe, so that a test can compare them with the log.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh
from aiohttp import web
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import ThreadedFTPServer

from tests.servers.process import ServerProcess, free_ports
from tests.streams.sources.agencies import PASSWORD, USER, Agency

KINDS = ("dpa", "sftp", "ftp", "s3", "sqs", "imap")


@dataclass
class Backend:
    """A server with stories: what an operator writes, and which stories it was told are safe, by their numbers."""

    table: str
    told: Callable[[], set[int]]
    environment: dict[str, str]


def story(number: int) -> bytes:
    """A story as ninjs; its number is in its uri."""
    item = {
        "uri": f"tag:wire.example,2026:{number:05}", "type": "text", "version": "1", "language": "en",
        "headline": f"Harbour of Port Alder opens quay {number}",
        "body_text": f"PORT ALDER (NNA) - The harbour has opened quay {number}.\n\nOdile Farquhar told of {number} ships.",
    }  # fmt: skip
    return json.dumps(item).encode()


def fill(folder: Path, count: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / f"{number:05}.json").write_bytes(story(number))


def missing(folder: Path, count: int) -> set[int]:
    there = {path.name for path in folder.iterdir()}
    return {number for number in range(count) if f"{number:05}.json" not in there}


@contextmanager
def sftp(folder: Path, count: int, user: str = USER, **options: Any) -> Iterator[Backend]:
    """asyncssh's own server over a folder."""
    files = folder / "sftp"
    fill(files, count)
    key = asyncssh.generate_private_key("ssh-ed25519")

    class Users(asyncssh.SSHServer):
        def begin_auth(self, username: str) -> bool:  # noqa: ARG002 -- asyncssh's signature
            return True

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == (USER, PASSWORD)

    def chroot(channel: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
        return asyncssh.SFTPServer(channel, chroot=os.fsencode(files))

    async def serve() -> tuple[int, Callable[[], None]]:
        listener = await asyncssh.listen(
            "127.0.0.1", 0, server_factory=Users, server_host_keys=[key], sftp_factory=chroot
        )
        return listener.get_port(), listener.close

    public = key.export_public_key().decode().strip()
    with in_thread(serve) as port:
        table = (
            f'kind = "sftp"\nhost = "127.0.0.1"\nport = {port}\nuser = "{user}"\nhost_key = "{public}"\npath = "."\n'
            f'finished = "always"\nafter = "delete"\nsecrets = {{ password = "env:T_SFTP" }}\n'
        )
        yield Backend(with_options(table, options), lambda: missing(files, count), {"T_SFTP": PASSWORD})


@contextmanager
def ftp(folder: Path, count: int, user: str = USER, **options: Any) -> Iterator[Backend]:
    """pyftpdlib over a folder, in clear on loopback."""
    files = folder / "ftp"
    fill(files, count)
    authorizer = DummyAuthorizer()
    authorizer.add_user(USER, PASSWORD, str(files), perm="elradfmw")
    handler = type("Handler", (FTPHandler,), {"authorizer": authorizer, "auth_failed_timeout": 0})
    logging.getLogger("pyftpdlib").addHandler(logging.NullHandler())
    logging.getLogger("pyftpdlib").propagate = False
    server = ThreadedFTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"timeout": 0.2, "handle_exit": False})
    thread.start()
    try:
        table = (
            f'kind = "ftp"\nhost = "127.0.0.1"\nport = {server.address[1]}\nuser = "{user}"\ntls = "off"\n'
            f'finished = "always"\nafter = "delete"\nsecrets = {{ password = "env:T_FTP" }}\n'
        )
        yield Backend(with_options(table, options), lambda: missing(files, count), {"T_FTP": PASSWORD})
    finally:
        server.close_all()
        thread.join()


@contextmanager
def cloud() -> Iterator[tuple[str, Any, Any]]:
    """moto's server: its address, and clients of S3 and SQS."""
    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    keys = {"aws_access_key_id": "access", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    try:
        yield url, boto3.client("s3", endpoint_url=url, **keys), boto3.client("sqs", endpoint_url=url, **keys)
    finally:
        server.stop()


CLOUD_KEYS = {"T_ACCESS": "access", "T_SECRET": "secret"}
CLOUD_TABLE = 'region = "us-east-1"\nsecrets = { access_key = "env:T_ACCESS", secret_key = "env:T_SECRET" }\n'


@contextmanager
def s3(folder: Path, count: int, **options: Any) -> Iterator[Backend]:
    """A bucket."""
    with cloud() as (url, bucket, _):
        bucket.create_bucket(Bucket="wires")
        for number in range(count):
            bucket.put_object(Bucket="wires", Key=f"in/{number:05}.json", Body=story(number))

        def told() -> set[int]:
            pages = bucket.get_paginator("list_objects_v2").paginate(Bucket="wires", Prefix="in/")
            there = {entry["Key"] for page in pages for entry in page.get("Contents", ())}
            return {number for number in range(count) if f"in/{number:05}.json" not in there}

        table = f'kind = "s3"\nbucket = "wires"\nprefix = "in/"\nendpoint = "{url}"\nfinished = "always"\nafter = "delete"\n'
        yield Backend(with_options(table + CLOUD_TABLE, options), told, CLOUD_KEYS)


@contextmanager
def sqs(folder: Path, count: int, **options: Any) -> Iterator[Backend]:
    """A queue of stories, which shows again what was not deleted within a second."""
    with cloud() as (url, _, queue):
        address = queue.create_queue(QueueName="wires", Attributes={"VisibilityTimeout": "1"})["QueueUrl"]
        for number in range(count):
            queue.send_message(QueueUrl=address, MessageBody=story(number).decode())

        def left() -> int:
            names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
            found = queue.get_queue_attributes(QueueUrl=address, AttributeNames=names)["Attributes"]
            return sum(int(found[name]) for name in names)

        # A queue does not tell which; so many are gone.
        table = f'kind = "sqs"\nqueue = "{address}"\nendpoint = "{url}"\n'
        yield Backend(
            with_options(table + CLOUD_TABLE, options), lambda: set(range(count - left())), CLOUD_KEYS
        )


DOVECOT_CONF = """
base_dir = {base}/run
log_path = {base}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{base}/mail
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 1
passdb {{
  driver = passwd-file
  args = {base}/users
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={base}/mail
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
  chroot =
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


def mail(number: int, sender: str = "wire@agency.example") -> bytes:
    """A story as a mail."""
    return (
        f"From: NNA <{sender}>\r\nTo: desk@paper.example\r\nDate: Mon, 02 Mar 2026 06:00:00 +0000\r\n"
        f"Message-ID: <{number:05}@agency.example>\r\nSubject: Harbour of Port Alder opens quay {number}\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n"
        f"PORT ALDER (NNA) - The harbour has opened quay {number}.\r\n\r\nOdile Farquhar told of it.\r\n\r\n"
        f"tag:wire.example,2026:{number:05}\r\n"
    ).encode()


@contextmanager
def imap(folder: Path, count: int, user: str = USER, **options: Any) -> Iterator[Backend]:
    """Dovecot over a maildir, which is filled as a delivery agent does."""
    base = Path(tempfile.mkdtemp(prefix="dovecot-"))  # a socket's path has at most 107 bytes
    (folder / "dovecot").symlink_to(base)
    for place in (base / "mail", *(base / "mail" / name for name in ("new", "cur", "tmp"))):
        place.mkdir()
    base.chmod(0o755)
    for place in (base, *base.rglob("*")):
        os.chown(place, *NOBODY)
    for parent in base.parents:
        if parent.stat().st_uid == os.geteuid() and parent != Path("/tmp"):  # noqa: S108 -- whose rights stay
            parent.chmod(parent.stat().st_mode | 0o011)
        if parent == Path("/tmp"):  # noqa: S108
            break
    for number in range(count):
        deliver(base, number, mail(number))
    (base / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
    [port] = free_ports(1)
    (base / "dovecot.conf").write_text(DOVECOT_CONF.format(base=base, port=port))
    server = ServerProcess(["dovecot", "-F", "-c", str(base / "dovecot.conf")], folder / "dovecot.log")
    try:
        server.wait_until(lambda: is_listening(port), 60)

        def told() -> set[int]:
            seen = (
                path.name
                for path in (base / "mail" / "cur").iterdir()
                if "S" in path.name.partition(":2,")[2]
            )
            return {int(name.partition("M")[2][:5]) for name in seen}

        table = (
            f'kind = "imap"\nhost = "127.0.0.1"\nport = {port}\nuser = "{user}"\ntls = "off"\nstart = "all"\n'
            f'secrets = {{ password = "env:T_IMAP" }}\n'
        )
        yield Backend(with_options(table, options), told, {"T_IMAP": PASSWORD})
    finally:
        server.stop()
        shutil.rmtree(base, ignore_errors=True)


NOBODY = (65534, 65534)


def deliver(base: Path, number: int, content: bytes) -> None:
    """Put a mail into the mailbox."""
    path = base / "mail" / "new" / f"1772431200.M{number:05}P1.localhost"
    path.write_bytes(content)
    os.chown(path, *NOBODY)


def is_listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@contextmanager
def dpa(folder: Path, count: int, **options: Any) -> Iterator[Backend]:
    """An API that is told of each entry by its receipt."""
    server = Agency(count, page=40, queue=list(range(count)))
    ended: list[asyncio.Future[None]] = []

    async def serve() -> tuple[int, Callable[[], None]]:
        runner = web.AppRunner(server.app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        [address] = runner.addresses
        return int(address[1]), lambda: ended.append(asyncio.ensure_future(runner.cleanup()))

    with in_thread(serve) as port:
        server.url = f"http://127.0.0.1:{port}"
        table = (
            f'preset = "dpa"\naddress = "{server.url}/dpa/entries.json"\n'
            f'receipt_address = "{server.url}/dpa/entry/{{receipt}}"\n'
        )
        yield Backend(
            with_options(table, options),
            lambda: {int(name.rpartition("-")[2]) for name in server.receipts},
            {},
        )


@contextmanager
def in_thread(serve: Callable[[], Any]) -> Iterator[int]:
    """An asyncio server on a thread of its own, so that tests may block; its port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        port, close = asyncio.run_coroutine_threadsafe(serve(), loop).result(60)
        yield port
        loop.call_soon_threadsafe(close)
    finally:

        async def end() -> None:
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            await asyncio.wait(tasks, timeout=2) if tasks else None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def with_options(table: str, options: dict[str, Any]) -> str:
    """A table with some of its keys said otherwise."""
    lines = [line for line in table.splitlines() if line.partition(" = ")[0] not in options]
    return "\n".join([*lines, *(f"{key} = {json.dumps(value)}" for key, value in options.items()), ""])


@contextmanager
def backend(kind: str, folder: Path, count: int, **options: Any) -> Iterator[Backend]:
    """A server of a kind with some stories in it."""
    with ExitStack() as stack:
        makers: dict[str, Any] = {"dpa": dpa, "sftp": sftp, "ftp": ftp, "s3": s3, "sqs": sqs, "imap": imap}
        yield stack.enter_context(makers[kind](folder, count, **options))


def has_dovecot() -> bool:
    return shutil.which("dovecot") is not None
