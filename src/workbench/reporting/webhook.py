"""A message as JSON to a webhook, tried again with growing pauses."""

from __future__ import annotations

import dataclasses
import json
import os
import time
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from workbench.params import UserError
from workbench.reporting.telling import Message

PAUSES = (1.0, 4.0, 15.0)  # seconds before the second, third and fourth attempt
SECONDS = 10
_LATER = (408, 425, 429)  # with 5xx: answers that may be another one later


def address(text: str) -> str:
    """Return an address as `schedule.yaml` may give it, else raise `ValueError`."""
    if not text.startswith("$") and urlsplit(text).scheme not in ("http", "https"):
        raise ValueError("a webhook is an http(s) address, or $NAME of an environment variable that holds one")
    return text


def post(to: str, message: Message, pauses: tuple[float, ...] = PAUSES) -> None:
    """Post one message; raises `OSError` where it was not taken in the end.

    The header `Idempotency-Key` is the same whenever the same message goes to the same address. Errors name the host
    alone: the path of a webhook is often its secret.
    """
    url, host = _resolved(to)
    body = json.dumps(dataclasses.asdict(message), ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json; charset=utf-8", "Idempotency-Key": message.mark(to)}
    for pause in (*pauses, None):
        problem, again = _posted(urllib.request.Request(url, body, headers, method="POST"))
        if not problem:
            return
        if not again or pause is None:
            raise OSError(f"webhook at {host}: {problem}")
        time.sleep(pause)


def _resolved(to: str) -> tuple[str, str]:
    """Return the address and its host."""
    if not to.startswith("$"):
        return to, urlsplit(to).netloc.rpartition("@")[2]
    url = os.environ.get(to[1:], "")
    if urlsplit(url).scheme not in ("http", "https"):
        raise UserError(f"webhook: environment variable {to[1:]} holds no http(s) address; set it")
    return url, f"${to[1:]}"


def _posted(request: urllib.request.Request) -> tuple[str, bool]:
    """Return what went wrong, empty where nothing did, and whether another attempt may help."""
    try:
        with urllib.request.urlopen(request, timeout=SECONDS):
            return "", False
    except urllib.error.HTTPError as e:
        return f"answered {e.code}", e.code >= 500 or e.code in _LATER
    except OSError as e:
        return str(getattr(e, "reason", e)), True
