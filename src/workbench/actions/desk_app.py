"""The service desk on the loopback address: one page, and the question it asks; nothing is fetched from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
from contextlib import suppress
from html import escape

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from workbench.actions.approved import DATA
from workbench.actions.desk import Desk

MOST_BYTES = 32_768  # of a request
_BLOCK = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)


def application(desk: Desk, notice: str = "") -> Starlette:
    """Return the desk as an ASGI application; `notice` is shown on the page (a trial, say)."""
    page = (DATA / "desk.html").read_text(encoding="utf-8").replace("<!--notice-->", escape(notice))
    policy = _policy(page)

    async def shown(request: Request) -> Response:
        return HTMLResponse(page, headers=policy)

    async def asked(request: Request) -> Response:
        # A page elsewhere can post a form here, but no JSON without being asked first, and it is never allowed to.
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            return JSONResponse({"error": "application/json"}, 415)
        content = b""
        async for chunk in request.stream():
            content += chunk
            if len(content) > MOST_BYTES:
                return JSONResponse({"error": "too long"}, 413)
        given = _given(content)
        if given is None:
            return JSONResponse({"error": "question"}, 400)
        reply = await run_in_threadpool(desk.ask, *given)
        return JSONResponse({"text": reply.text, "became": reply.became}, headers={"cache-control": "no-store"})

    app = Starlette(routes=[Route("/", shown), Route("/ask", asked, methods=["POST"])])
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
    return app


def _given(content: bytes) -> tuple[str, str, str] | None:
    """Return question, token and the page's language of a request; None where it is none."""
    try:
        d = json.loads(content)
        words = d["question"], d.get("token", ""), d.get("language", "")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return words if all(isinstance(w, str) for w in words) else None


def _policy(page: str) -> dict[str, str]:
    """Return headers that let nothing run but the page's own script, by its hash, and nothing be fetched elsewhere."""
    allowed = {
        kind: f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for kind, text in _BLOCK.findall(page)
    }
    rules = f"default-src 'none'; script-src {allowed['script']}; style-src {allowed['style']}; connect-src 'self'; "
    return {
        "content-security-policy": rules + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
    }


def config(desk: Desk, notice: str) -> uvicorn.Config:
    """Return how the desk is served: who asks what is in no log of the server's."""
    app = application(desk, notice)
    return uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, lifespan="off", ws="none")


def serve(bound: socket.socket, desk: Desk, notice: str) -> None:
    """Serve the desk on a bound socket until stopped."""
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config(desk, notice)).run(sockets=[bound])
