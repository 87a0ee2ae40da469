"""A running wiredesk under callers that mean harm: silent connections, slow bodies, readers of streams, heavy searches.

``python -m tests.benchmarks.hostile_callers [--idle 1100] [--bodies 100] [--readers 1000] [--files 1024]``

Starts ``wiredesk run`` with a feed on loopback, a desk and a push listener, and tells for each kind of caller how the
polls, the desk's ``/livez`` and page, and the memory fare while they are there, beside the same without them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import signal
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.servers.http import publishing
from tests.servers.process import free_ports

TOKEN = "a token of the benchmark"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
LOOK_S = 0.1


@dataclass
class Feed:
    """A feed with a new story at each look; counts the looks."""

    polls: int = 0

    def answer(self, _asked: Any) -> tuple[bytes, dict[str, str]]:
        self.polls += 1
        item = f"<item><title>Ferry {self.polls} stops for the storm</title><guid>urn:nna:{self.polls}</guid></item>"
        return f'<rss version="2.0"><channel><title>NNA</title>{item}</channel></rss>'.encode(), {}


@dataclass
class Figures:
    """What was seen during one kind of call."""

    kind: str
    polls: int = 0
    livez_s: list[float] = field(default_factory=list)
    page_s: list[float] = field(default_factory=list)
    failures: int = 0
    rss_mb: float = 0.0
    note: str = ""

    def row(self) -> str:
        livez, page = max(self.livez_s, default=0.0), max(self.page_s, default=0.0)
        middle = statistics.median(self.livez_s) if self.livez_s else 0.0
        return (
            f"| {self.kind} | {self.polls} | {middle * 1000:.0f} / {livez * 1000:.0f} | {page * 1000:.0f} "
            f"| {self.failures} | {self.rss_mb:.0f} | {self.note} |"
        )


@dataclass(frozen=True)
class Desk:
    """A running wiredesk."""

    pid: int
    desk: int
    push: int
    feed: Feed
    log: Path

    def rss_mb(self) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text("utf-8")
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


@asynccontextmanager
async def running(folder: Path, files: int) -> AsyncIterator[Desk]:
    """Start wiredesk, with so many open files at the most, and wait until it answers."""
    feed = Feed()
    desk, push = free_ports(2)
    with publishing(feed.answer) as port:
        (folder / "feeds.toml").write_text(
            f'[[feeds]]\nid = "nna"\nurl = "http://127.0.0.1:{port}/rss"\n', "utf-8"
        )
        environment = {
            **os.environ,
            "WIREDESK_POLL_FEEDS": str(folder / "feeds.toml"), "WIREDESK_POLL_MIN_INTERVAL_S": "1", "WIREDESK_POLL_MAX_INTERVAL_S": "1",
            "WIREDESK_POLL_FIRST_INTERVAL_S": "1", "WIREDESK_POLL_HOST_DELAY_S": "0", "WIREDESK_POLL_ALLOWED_ADDRESSES": f"127.0.0.1:{port}",
            "WIREDESK_DESK_TOKEN": TOKEN, "WIREDESK_PUSH_PORT": str(push), "WIREDESK_PUSH_TOKEN": TOKEN, "WIREDESK_PUSH_PUBLIC_URL": f"http://127.0.0.1:{push}",
        }  # fmt: skip
        log = folder / "run.log"
        command = ["wiredesk", "run", "--samples", "--data", str(folder / "data"), "--port", str(desk)]
        with log.open("wb") as stream:
            process = await asyncio.create_subprocess_exec(
                str(Path(sys.prefix) / "bin" / command[0]), *command[1:], stderr=stream, env=environment,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (min(files, 1024), files)),
            )  # fmt: skip
        try:
            await until_ready(desk)
            yield Desk(process.pid, desk, push, feed, log)
        finally:
            process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(process.wait(), 60)


async def until_ready(port: int) -> None:
    async with aiohttp.ClientSession(headers=BEARER) as session, asyncio.timeout(120):
        while True:
            with suppress(aiohttp.ClientError, OSError):
                page = await session.get(f"http://127.0.0.1:{port}/api/stories")
                if (await page.json())["stories"]:
                    return
            await asyncio.sleep(LOOK_S)


async def log_in(port: int) -> dict[str, str]:
    """The cookie of a reader of its own."""
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        answer = await session.post("/login", data={"token": TOKEN}, allow_redirects=False)
        return {"Cookie": f"wiredesk={answer.cookies['wiredesk'].value}"}


async def watch(desk: Desk, kind: str, seconds: float, note: str = "") -> Figures:
    """How the desk and the polls fare for some seconds, each look on a connection of its own."""
    figures = Figures(kind, note=note)
    cookie = await log_in(desk.desk)
    before, until = desk.feed.polls, time.monotonic() + seconds
    while time.monotonic() < until:
        for path, taken in (("/livez", figures.livez_s), ("/", figures.page_s)):
            began = time.monotonic()
            figures.failures += await ask(f"http://127.0.0.1:{desk.desk}{path}", cookie) != 200
            taken.append(time.monotonic() - began)
        figures.rss_mb = max(figures.rss_mb, desk.rss_mb())
        await asyncio.sleep(LOOK_S)
    figures.polls = desk.feed.polls - before
    return figures


async def ask(url: str, headers: dict[str, str]) -> int:
    """The status of an answer, 0 for none."""
    timeout = aiohttp.ClientTimeout(total=10)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(url, headers=headers) as answer,
        ):
            await answer.read()
            return answer.status
    except (aiohttp.ClientError, TimeoutError, OSError):
        return 0


@asynccontextmanager
async def connections(
    port: int, count: int, sent: bytes = b"", body_bytes: int = 0
) -> AsyncIterator[list[socket.socket]]:
    """So many connections that send something and then nothing more."""
    loop, opened = asyncio.get_running_loop(), []
    try:
        for _ in range(count):
            client = socket.socket()
            client.setblocking(False)  # noqa: FBT003 -- socket's signature
            with suppress(OSError, TimeoutError):
                await asyncio.wait_for(loop.sock_connect(client, ("127.0.0.1", port)), 2)
                if sent:
                    await asyncio.wait_for(loop.sock_sendall(client, sent), 2)
                if body_bytes:
                    await asyncio.wait_for(loop.sock_sendall(client, b"a" * body_bytes), 0.2)
            opened.append(client)
        yield opened
    finally:
        for client in opened:
            client.close()


async def still_open(clients: Sequence[socket.socket]) -> int:
    """How many connections the other side has not ended."""
    count = 0
    for client in clients:
        try:
            count += client.recv(1 << 20) != b""
        except BlockingIOError:
            count += 1
        except OSError:
            pass
    return count


async def search_heavily(desk: Desk, stop: asyncio.Event) -> None:
    """One reader that searches as much as it may."""
    prefixes = "+".join(f"{letter}*" for letter in "abcdefghijklmnopqrstuvwxyz")
    async with aiohttp.ClientSession(headers=await log_in(desk.desk)) as session:
        while not stop.is_set():
            queries = [
                f"q={prefixes}&limit=200&order=relevance&after=999999999",
                "q=th*&collapse=1&limit=200",
            ] * 6
            with suppress(aiohttp.ClientError, TimeoutError):
                asked = [
                    session.get(f"http://127.0.0.1:{desk.desk}/api/stories?{query}") for query in queries
                ]
                for answer in await asyncio.gather(*asked):
                    answer.close()


async def main(arguments: argparse.Namespace) -> int:
    rows: list[Figures] = []
    with tempfile.TemporaryDirectory() as name:
        async with running(Path(name), arguments.files) as desk:
            rows.append(await watch(desk, "nobody", arguments.seconds))
            for kind, port in (("push", desk.push), ("desk", desk.desk)):
                async with connections(port, arguments.idle) as clients:
                    figures = await watch(
                        desk, f"{arguments.idle} silent connections to the {kind}", arguments.seconds
                    )
                    figures.note = f"{await still_open(clients)} still open"
                    rows.append(figures)
            head = b"POST /websub/nna/guessed HTTP/1.1\r\nHost: a\r\nContent-Length: 15000000\r\n\r\n"
            async with connections(desk.push, arguments.bodies, head, 1 << 20):
                rows.append(
                    await watch(desk, f"{arguments.bodies} slow bodies without a key", arguments.seconds)
                )
            head = f"POST /push HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 15000000\r\n\r\n".encode()
            async with connections(desk.push, arguments.bodies, head, 8 << 20):
                rows.append(
                    await watch(desk, f"{arguments.bodies} slow bodies with the token", arguments.seconds)
                )
            for path in (b"/api/stream", b"/api/routes/urgent/stream"):
                request = (
                    b"GET "
                    + path
                    + f" HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
                )
                async with connections(desk.desk, arguments.readers, request):
                    rows.append(
                        await watch(
                            desk, f"{arguments.readers} readers of {path.decode()}", arguments.seconds
                        )
                    )
            stop = asyncio.Event()
            async with AsyncExitStack() as stack:
                searching = asyncio.create_task(search_heavily(desk, stop))
                stack.callback(searching.cancel)
                rows.append(await watch(desk, "a reader with 12 heavy searches at a time", arguments.seconds))
                stop.set()
            lines = desk.log.read_bytes().count(b"\n")
    print(
        "| callers | polls | /livez, median / most ms | page, most ms | failures | RSS MB | |\n|---|---|---|---|---|---|---|"
    )
    for figures in rows:
        print(figures.row())
    print(f"\n{lines} lines in the log; hard limit of open files {arguments.files}")
    if arguments.json:
        Path(arguments.json).write_text(json.dumps([vars(figures) for figures in rows]), "utf-8")
    least = rows[0].polls / 2
    return int(any(figures.failures or figures.polls < least for figures in rows))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--idle", type=int, default=1100)
    parser.add_argument("--bodies", type=int, default=100)
    parser.add_argument("--readers", type=int, default=1000)
    parser.add_argument("--files", type=int, default=1024, help="the hard limit of open files of wiredesk")
    parser.add_argument("--seconds", type=float, default=15.0, help="for each kind")
    parser.add_argument("--json", help="also write the figures there")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(parse_arguments())))
