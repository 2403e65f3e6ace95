"""Who asks: a session token that names a customer's pseudonym until a moment, signed with the home's key."""

from __future__ import annotations

import base64
import hmac
from datetime import datetime, timedelta

PURPOSE = b"desk session"
LASTS = timedelta(minutes=30)


def token(entity_id: str, key: bytes, now: datetime) -> str:
    """Return a token for a customer's pseudonym, good for half an hour."""
    named = f"{int((now + LASTS).timestamp())}|{entity_id}".encode()
    return base64.urlsafe_b64encode(_signed(named, key) + named).decode()


def holder(given: str, key: bytes, now: datetime) -> str:
    """Return the pseudonym a token was made for; empty where it is none of ours, was changed, or has run out.

    >>> moment = datetime(2026, 11, 28, 12)
    >>> made = token("customer_1", b"k" * 32, moment)
    >>> holder(made, b"k" * 32, moment), holder(made, b"x" * 32, moment), holder(made, b"k" * 32, moment + 2 * LASTS)
    ('customer_1', '', '')
    """
    try:
        content = base64.b64decode(given.encode("ascii"), altchars=b"-_", validate=True)
    except ValueError:
        return ""
    signature, named = content[:32], content[32:]
    if not hmac.compare_digest(signature, _signed(named, key)):
        return ""
    until, _, entity_id = named.decode().partition("|")
    return entity_id if now.timestamp() < int(until) else ""


def _signed(named: bytes, key: bytes) -> bytes:
    return hmac.digest(key, PURPOSE + b"\n" + named, "sha256")
