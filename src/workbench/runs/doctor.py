"""Is this machine ready: Python, pinned versions, disk, MLflow store, fonts, browser-free pages."""

from __future__ import annotations

import os
import re
import shutil
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from workbench import home

LEAST_DISK_GB = 3


def examine() -> tuple[list[str], bool]:
    """Return one line per check (ok or what to do) and whether all are well."""
    checks = [_python(), *_versions(), _disk(), _store(), *_server(), _runs(), _fonts(), _pdf(), _fork()]
    return [f"{'ok  ' if ok else 'BAD '} {line}" for ok, line in checks], all(ok for ok, _ in checks)


def _python() -> tuple[bool, str]:
    ok = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return ok, f"Python {sys.version.split()[0]}" + ("" if ok else ": use 3.11, 3.12 or 3.13")


def _versions() -> list[tuple[bool, str]]:
    from packaging.requirements import Requirement

    out = []
    for text in requires("loan-workbench") or []:
        wanted = Requirement(re.sub(r";.*", "", text))
        if "extra" in text:
            continue
        try:
            have = version(wanted.name)
        except PackageNotFoundError:
            out.append((False, f"{wanted.name} is not installed: `make setup`"))
            continue
        ok = wanted.specifier.contains(have, prereleases=True)
        out.append((ok, f"{wanted.name} {have}" + ("" if ok else f": needs {wanted.specifier}; `make setup`")))
    return out


def _disk() -> tuple[bool, str]:
    free = shutil.disk_usage(home.root()).free / 1e9
    ok = free > LEAST_DISK_GB
    return ok, f"disk: {free:.0f} GB free" + ("" if ok else f"; at least {LEAST_DISK_GB} GB are needed")


def _store() -> tuple[bool, str]:
    from workbench.registry import store

    uri = store.uri()
    if uri.startswith("sqlite:///") and not Path(uri.removeprefix("sqlite:///")).exists():
        return True, "MLflow store: none yet, the first run makes it"
    try:
        store.sound()
        experiments = len(store.client().search_experiments())
    except Exception as e:  # noqa: BLE001 - whatever the store raises, the doctor names it and goes on
        return False, f"MLflow store: {' '.join(str(e).split())[:120]}"
    return True, f"MLflow store answers, {experiments} experiments"


def _server() -> list[tuple[bool, str]]:
    """What a tracking server set up here, and the one asked from here, must not have; nothing where neither is."""
    from workbench.registry import guarded, store
    from workbench.registry.guard import settings

    out = []
    if settings.is_server(os.environ):
        faults = settings.faults(os.environ)
        out = [(False, f"tracking server: {f}") for f in faults] or [(True, "tracking server: its settings are sound")]
    if not store.is_server():
        return out
    out += [(False, f"MLflow's client: {f}") for f in settings.client_faults(os.environ)]
    try:
        if guarded.accepts(*settings.DEFAULT):
            user, password = settings.DEFAULT
            words = f"MLflow at {store.uri()} lets in {user} with the password {password}, which everybody knows"
            out.append((False, f"{words}; set another"))
        out.append((True, f"MLflow at {store.uri()}: level {guarded.level()}"))
    except Exception as e:  # noqa: BLE001 - whatever the server's line raises, the doctor names it and goes on
        out.append((False, f"MLflow at {store.uri()}: {' '.join(str(e).split())[:120]}"))
    return out


def _runs() -> tuple[bool, str]:
    from workbench.registry import runs

    try:
        crashed = runs.crashed() if runs.under_way() else []
    except Exception:  # noqa: BLE001 - the line above has said what the store raises
        return True, "runs: not known"
    names = ", ".join(f"{r.data.tags.get('study')} {r.info.run_name}" for r in crashed)
    return not crashed, f"runs: {len(crashed)} crashed ({names}): `workbench runs`" if crashed else "runs: none crashed"


def _fonts() -> tuple[bool, str]:
    from workbench.figures import theme

    return True, f"fonts: Chinese labels with {theme.cjk_font()}"


def _pdf() -> tuple[bool, str]:
    from workbench.reporting import pdf

    missing = pdf.missing()
    return not missing, missing or "PDF: Pango lays it out, fonts are embedded"


def _fork() -> tuple[bool, str]:
    return True, "warm kernels: yes" if sys.platform == "linux" else "warm kernels: no (a new kernel per notebook)"
