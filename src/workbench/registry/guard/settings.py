"""What must not be in a tracking server's settings: known passwords, no secret key, files and lines others read."""

from __future__ import annotations

import configparser
import ipaddress
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

KNOWN = ("password1234", "my-secret-key", "password", "admin", "mlflow", "changeme", "secret")  # MLflow's own first
DEFAULT = ("admin", KNOWN[0])  # the administrator that MLflow shipped
LEAST_LENGTH = 12
_ITS_OWN = ("MLFLOW_AUTH_CONFIG_PATH", "MLFLOW_FLASK_SERVER_SECRET_KEY", "MLFLOW_AUTH_ADMIN_PASSWORD")
_TLS = re.compile(r"--ssl-keyfile[= ]")


def is_server(environ: Mapping[str, str]) -> bool:
    """Say whether a tracking server is set up here: one of the variables that only it reads is set."""
    return any(n in environ for n in _ITS_OWN)


def faults(environ: Mapping[str, str], argv: Sequence[str] = ()) -> list[str]:
    """Return in words what must not be; nothing where the server may start. `argv`: how it was started, if it was."""
    known = [*_secret(environ), *_passwords(environ), *_readable(environ)]
    return [*known, *_open_line(environ, argv), *_workspaces(environ)]


def client_faults(environ: Mapping[str, str]) -> list[str]:
    """Return in words what must not be where this process asks a tracking server; nothing where all is well."""
    place = urlsplit(environ.get("MLFLOW_TRACKING_URI", ""))
    out = list(_passwords({n: v for n, v in environ.items() if n == "MLFLOW_TRACKING_PASSWORD"}))
    if place.scheme == "http" and not is_loopback(place.hostname or ""):
        out.append(
            f"MLFLOW_TRACKING_URI names {place.hostname} without TLS, and passwords travel readable; use https://"
        )
    return out


def _secret(environ: Mapping[str, str]) -> Iterator[str]:
    key = environ.get("MLFLOW_FLASK_SERVER_SECRET_KEY", "")
    if fault := _weak(key):
        yield f"MLFLOW_FLASK_SERVER_SECRET_KEY {fault}; set it to a random text: `openssl rand -hex 32`"


def _passwords(environ: Mapping[str, str]) -> Iterator[str]:
    for name, password in (
        ("MLFLOW_AUTH_ADMIN_PASSWORD", environ.get("MLFLOW_AUTH_ADMIN_PASSWORD")),
        ("MLFLOW_AUTH_CONFIG_PATH: admin_password", _auth(environ).get("admin_password")),
        ("MLFLOW_TRACKING_PASSWORD", environ.get("MLFLOW_TRACKING_PASSWORD")),
    ):
        if password is not None and (fault := _weak(password)):
            yield f"{name} {fault}; set another, of {LEAST_LENGTH} characters or more"


def _weak(text: str) -> str:
    if not text:
        return "is empty"
    if text.lower() in KNOWN:
        return "is one that everybody knows"
    return f"is shorter than {LEAST_LENGTH} characters" if len(text) < LEAST_LENGTH else ""


def _auth(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return the section of MLflow's basic-auth file, empty where there is none or it can't be read as one."""
    config = configparser.ConfigParser(interpolation=None)
    try:
        config.read(environ.get("MLFLOW_AUTH_CONFIG_PATH", ""))
        return dict(config["mlflow"]) if config.has_section("mlflow") else {}
    except (configparser.Error, UnicodeDecodeError, OSError):
        return {}


def _readable(environ: Mapping[str, str]) -> Iterator[str]:
    place = environ.get("MLFLOW_AUTH_CONFIG_PATH", "")
    if not place:
        return
    path = Path(place)
    if not path.is_file():
        yield f"MLFLOW_AUTH_CONFIG_PATH: {path} is not there; docs/server.md shows one"
    elif stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield f"{path}: others may read the passwords in it; `chmod 600 {path}`"


def _open_line(environ: Mapping[str, str], argv: Sequence[str]) -> Iterator[str]:
    words = list(argv)
    host = words[words.index("--host") + 1] if "--host" in words[:-1] else environ.get("MLFLOW_HOST", "127.0.0.1")
    if not is_loopback(host) and not _TLS.search(" ".join([*words, environ.get("MLFLOW_UVICORN_OPTS", "")])):
        yield (
            f"the server listens on {host} without TLS, and passwords would travel readable; give --uvicorn-opts"
            ' "--ssl-keyfile … --ssl-certfile …", or listen on 127.0.0.1 behind a proxy that does'
        )


def _workspaces(environ: Mapping[str, str]) -> Iterator[str]:
    if environ.get("MLFLOW_ENABLE_WORKSPACES", "").lower() in ("true", "1"):
        yield "MLFLOW_ENABLE_WORKSPACES is set: the guard knows a server without workspaces only; unset it"


def is_loopback(host: str) -> bool:
    """Say whether an address is reached from this machine alone.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0"), is_loopback("mlflow.bank")
    (True, True, False, False)
    """
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
