"""A publisher on loopback: a real HTTP server whose answers a test decides."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Asked = tuple[str, Mapping[str, str]]  # the path without its slash, and the headers of the request
Told = tuple[bytes, Mapping[str, str]]  # the body, and headers beside its length


@contextmanager
def publishing(answer: Callable[[Asked], Told], host: str = "127.0.0.1") -> Iterator[int]:
    """Answer GETs until the end of the block; the port. An empty `host` listens on every address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body, headers = answer((self.path[1:], dict(self.headers)))
            self.send_response(200)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer((host, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield int(server.server_port)
        finally:
            server.shutdown()
            thread.join()
