"""Requests as no browser sends them: each header, the path and the query with bytes of every kind, on a raw socket."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final

ODD_VALUES: Final = (
    *(bytes([number]) for number in range(256) if number not in b"\r\n"),
    b"", b"\xff\xfe", b"\xed\xa0\x80", b"\xc3", b"\xf0\x9f\x98\x80", b"a" * 8000, b"a" * 9000, b"=" * 500, b"%ff%00%",
    b"[evil]", b"[::1", b"]", b"::1", b"a:b:c", b"@", b"a@b:0", b"127.0.0.1:99999", b'"', b"'", b"<x>", b"${a}", b"a\tb",
    b"Bearer", b"Bearer \xff", b"bearer \x80\x81", b"Basic \xff", b"wiredesk=\xff", b"wiredesk=1.2.\xff", b"wiredesk=" + b"9" * 400,
    b"sha256=\xff", b"sha256=", b"=", b"text/plain; charset=undefined", b"text/plain; charset=zlib",
    b"text/plain; charset=\xff", b"multipart/form-data", b"multipart/form-data; boundary=\xff", b"application/x-www-form-urlencoded; charset=punycode",
    b"gzip", b"deflate", b"br", b"zstd", b"identity", b"chunked", b"bytes=0-", b"bytes=9-1", b"bytes=\xff", b'W/"\xff"', b"*",
    b"Thu, 99 Foo 2026 99:99:99 GMT", b"99999999999999999999", b"-1", b"0x10", b"1e9", b"NaN", b"100-continue",
    b"websocket", b"upgrade", b"close", b"keep-alive, Upgrade", b"https", b"for=\xff", b"1.2.3.4, \xff", b"::ffff:1.2.3.4",
    b"cross-site", b"\xd9\xa3", b"\xef\xbc\x91",
)  # fmt: skip
HEADERS: Final = (
    b"Host", b"Authorization", b"Cookie", b"Content-Type", b"Content-Length", b"Content-Encoding", b"Transfer-Encoding",
    b"Accept", b"Accept-Encoding", b"Range", b"If-Range", b"If-None-Match", b"If-Match", b"If-Modified-Since",
    b"If-Unmodified-Since", b"Expect", b"Upgrade", b"Connection", b"Last-Event-ID", b"X-Hub-Signature", b"X-Forwarded-For",
    b"X-Forwarded-Proto", b"X-Forwarded-Host", b"Forwarded", b"Sec-Fetch-Site", b"Origin", b"Referer", b"User-Agent", b"X-Any",
)  # fmt: skip


def odd_requests(
    method: bytes, path: bytes, headers: Sequence[bytes] = HEADERS, body: bytes = b"", fixed: bytes = b""
) -> Iterator[bytes]:
    """Requests for a path, each with one odd header, or odd bytes in its path or query; `fixed` are more headers."""
    length = b"Content-Length: %d\r\n" % len(body) if body else b""
    for name in headers:
        for value in ODD_VALUES:
            host = b"" if name == b"Host" else b"Host: 127.0.0.1\r\n"
            own_length = b"" if name in {b"Content-Length", b"Transfer-Encoding"} else length
            head = b"%b %b HTTP/1.1\r\n%b%b%b%b: %b\r\nConnection: close\r\n\r\n"
            yield head % (method, path, host, fixed, own_length, name, value) + body
    joiner = b"&" if b"?" in path else b"?"
    for value in ODD_VALUES:
        for target in (
            path + value, path + joiner + b"a=" + value, path + joiner + value,
            path + joiner + b"after=" + value, path + joiner + b"q=" + value, path + joiner + b"next=" + value,
            path + joiner + b"since=" + value, path + joiner + b"feed=" + value, path + joiner + b"hub.mode=" + value,
        ):  # fmt: skip
            yield b"%b %b HTTP/1.1\r\nHost: 127.0.0.1\r\n%b%bConnection: close\r\n\r\n" % (
                method, target, fixed, length,
            ) + body  # fmt: skip


async def ask_raw(port: int, request: bytes, *, half_close: bool = True) -> int:
    """The status of the answer to some bytes; 0 where the connection ends without one."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        if half_close:
            writer.write_eof()
        async with asyncio.timeout(20):
            line = await reader.readline()
        return int(line.split()[1]) if line else 0
    except ConnectionError:
        return 0
    finally:
        writer.close()


async def server_errors(port: int, requests: Sequence[bytes], at_once: int = 20) -> list[tuple[int, bytes]]:
    """The requests that are answered with 5xx, with their status."""
    errors: list[tuple[int, bytes]] = []
    waiting = iter(requests)

    async def work() -> None:
        for request in waiting:
            status = await ask_raw(port, request)
            if status >= 500:
                errors.append((status, request[:300]))

    await asyncio.gather(*(work() for _ in range(at_once)))
    return errors
