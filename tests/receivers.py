"""Local servers that take what the schedule tells: SMTP (plain, STARTTLS, TLS, login) and webhooks, in threads."""

from __future__ import annotations

import base64
import email
import email.policy
import json
import socketserver
import ssl
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
    unknown: set[str] = field(default_factory=set)  # addresses that are refused
    encrypted: list[bool] = field(default_factory=list)  # of each mail, whether it came so
    users: list[str] = field(default_factory=list)  # who logged in


@dataclass(frozen=True)
class Offered:
    """What an SMTP server offers: `context` with its certificate, by STARTTLS or from the first byte on; a login."""

    context: ssl.SSLContext | None = None
    from_the_first: bool = False
    login: tuple[str, str] | None = None


@contextmanager
def smtp(offered: Offered = Offered()) -> Iterator[Received]:
    """Take mails as RFC 5321 says, as far as smtplib speaks it; a login by PLAIN, and over TLS only."""
    received = Received()

    class Bound(_Session):
        pass

    Bound.offered, Bound.received = offered, received
    with _serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Bound), received):
        yield received


class _Session(socketserver.StreamRequestHandler):
    """One connection; `SMTP` commands that are not named here are taken."""

    offered: Offered
    received: Received
    encrypted = known = False

    def handle(self) -> None:
        try:
            if self.offered.from_the_first:
                self._encrypt()
            self._answer("220 test")
            while (raw := self.rfile.readline()) and not raw.upper().startswith(b"QUIT"):
                word, _, rest = raw.decode().strip().partition(" ")
                getattr(self, f"_{word.lower()}", lambda _: self._answer("250 ok"))(rest)
            self._answer("221 bye")
        except OSError:  # the client has gone: it didn't trust us
            pass
        finally:
            self.request.close()

    def _encrypt(self) -> None:
        self.request = self.connection = self.offered.context.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)
        self.encrypted = True

    def _ehlo(self, _: str) -> None:
        lines = ["test", "8BITMIME"]
        lines += ["STARTTLS"] if self.offered.context and not self.encrypted else []
        lines += ["AUTH PLAIN"] if self.offered.login and self.encrypted else []
        for line in lines[:-1]:
            self._answer(f"250-{line}")
        self._answer(f"250 {lines[-1]}")

    def _starttls(self, _: str) -> None:
        self._answer("220 go on")
        self._encrypt()

    def _auth(self, rest: str) -> None:
        _, user, password = base64.b64decode(rest.split()[1]).decode().split("\0")
        self.known = (user, password) == self.offered.login
        self.received.users += [user] if self.known else []
        self._answer("235 welcome" if self.known else f"535 {user} is not known by that password")

    def _mail(self, _: str) -> None:
        if self.received.refusals:
            self._answer(f"{self.received.refusals.pop(0)} not now")
        elif self.offered.login and not self.known:
            self._answer("530 log in first")
        else:
            self._answer("250 ok")

    def _rcpt(self, rest: str) -> None:
        address = rest.partition("<")[2].partition(">")[0]
        self._answer(f"550 {address} is nobody here" if address in self.received.unknown else "250 ok")

    def _data(self, _: str) -> None:
        self._answer("354 go on")
        lines = []
        for raw in self.rfile:
            if raw == b".\r\n":
                break
            lines.append(raw[1:] if raw.startswith(b"..") else raw)
        self.received.mails.append(email.message_from_bytes(b"".join(lines), policy=email.policy.default))
        self.received.encrypted.append(self.encrypted)
        self._answer("250 taken")

    def _answer(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


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
