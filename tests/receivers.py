"""Local servers that take what the schedule tells: SMTP and webhooks, in threads of the test."""

from __future__ import annotations

import email
import email.policy
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Received:
    """What came in, and how to answer: `refusals` are given first, one a delivery."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    posts: list[dict] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    refusals: list[int] = field(default_factory=list)


@contextmanager
def smtp() -> Iterator[Received]:
    """Take mails as RFC 5321 says, as far as smtplib speaks it."""
    received = Received()

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._answer("220 test")
            for raw in self.rfile:
                word = raw.split()[0].upper() if raw.split() else b""
                if word == b"DATA":
                    self._data()
                elif word == b"QUIT":
                    return self._answer("221 bye")
                elif word == b"MAIL" and received.refusals:
                    self._answer(f"{received.refusals.pop(0)} not now")
                else:
                    self._answer("250 ok")
            return None

        def _data(self) -> None:
            self._answer("354 go on")
            lines = []
            for raw in self.rfile:
                if raw == b".\r\n":
                    break
                lines.append(raw[1:] if raw.startswith(b"..") else raw)
            received.mails.append(email.message_from_bytes(b"".join(lines), policy=email.policy.default))
            self._answer("250 taken")

        def _answer(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with _serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session), received):
        yield received


@contextmanager
def webhooks() -> Iterator[Received]:
    """Take JSON posts."""
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = received.refusals.pop(0) if received.refusals else 200
            if status == 200:
                received.posts.append(json.loads(body))
                received.keys.append(self.headers["Idempotency-Key"])
            self.send_response(status)
            self.end_headers()

        def do_GET(self) -> None:
            received.asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with _serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler), received):
        yield received


@contextmanager
def _serving(server: socketserver.ThreadingTCPServer, received: Received) -> Iterator[None]:
    server.daemon_threads = True
    received.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
