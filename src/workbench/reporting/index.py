"""The page of all pages, made from the current runs alone: models, bad news, studies by period, data warnings."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Any

from workbench import home
from workbench.evidence import digest_file
from workbench.registry import current, events
from workbench.registry.current import Record
from workbench.registry.lifecycle import RETIRED
from workbench.registry.state import Book, replay
from workbench.reporting import page
from workbench.words import number

_RANK = ("error", "red", "amber")
_DATA = ("portfolios/", "panel/")  # rooms whose warnings are about the data, not about a model
SHOWN_FIGURES = 4
MODEL = "model__"


def write() -> Path:
    """Write reports/index.html from the current runs and the last ones that failed, and return its path."""
    target = home.reports() / "index.html"
    content = render(current.everything(), current.everything(current.FAILED), home.reports()).encode()
    home.put(_digest(), hashlib.sha256(content).hexdigest().encode())
    home.put(target, content)
    return target


def is_changed() -> bool:
    """Say whether the index is another than was written last; two runners side by side may write it in turn."""
    target, digest = home.reports() / "index.html", _digest()
    return digest.exists() and (not target.exists() or digest_file(target) != digest.read_text())


def _digest() -> Path:
    return home.mlruns() / "current" / "index.sha256"


def render(runs: list[Record], failed: list[Record], folder: Path) -> str:
    """Return the index; links lead to pages that are there in `folder`. A failed run stands beside the current one."""
    rows = [_row(r, folder) for r in sorted([*runs, *failed], key=lambda r: (r.study, r.period, r.start))]
    studies: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        studies.setdefault((row["study"], row["period"]), []).append(row)
    bad = sorted((r for r in rows if r["verdict"] in _RANK), key=lambda r: _RANK.index(r["verdict"]))
    of_data = [r for r in bad if r["step"].startswith(_DATA) and r["verdict"] != "error"]
    chain = events.read()
    return (
        page.templates()
        .get_template("index.html")
        .render(
            models=models(runs, folder, replay(chain)),
            head=chain.head if chain.events else "",
            studies=studies,
            bad=[r for r in bad if r not in of_data],
            of_data=of_data,
            css=page.css(),
            when=time.strftime("%Y-%m-%d %H:%M"),
        )
    )


def models(runs: list[Record], folder: Path, book: Book | None = None) -> list[dict[str, Any]]:
    """Return a row for each model a study uses: name, version, state, kind, verdict, last monitoring, owner."""
    out, book = [], book or Book()
    for record in runs:
        for name, entry in record.models.items():
            verdicts = [_verdict(r, name, entry) for r in runs if r.study == record.study and name in r.tags]
            watched = [r for r in runs if r.study == record.study and r.step.startswith("monitoring/")]
            watched = [r for r in watched if name in {t.lstrip("?") for t in r.reads}]
            row = {"name": entry["name"], "version": entry["version"], "kind": entry["kind"], "period": record.period}
            state = book.of(entry["name"], entry["version"]).state
            row |= {"state": "retired from use" if state == RETIRED else state}  # people retire, too
            row |= {"verdict": next((v for v in reversed(verdicts) if v), ""), "owner": record.owner}
            row |= {"watched": _row(watched[-1], folder) if watched else None, "simulated": record.simulated}
            out.append({**row, "page": _row(record, folder)["page"]})
    return sorted(out, key=lambda m: (m["name"], m["period"]))


def _verdict(record: Record, name: str, entry: dict[str, Any]) -> str:
    """Return what a validation says of this very version, empty where it speaks of another."""
    entry_of_run = record.tags[name]
    return entry_of_run["tags"].get("validation.verdict", "") if entry_of_run["version"] == entry["version"] else ""


def _row(r: Record, folder: Path) -> dict[str, Any]:
    place = f"{r.key.place}/{r.slug}.html"
    return {
        "study": r.study,
        "period": r.period,
        "simulated": r.simulated,
        "owner": r.owner,
        "step": r.step,
        "status": r.status,
        "verdict": r.verdict,
        "headline": r.headline,
        "link": r.link,
        "run_id": r.run_id,
        "page": place if r.status == "FINISHED" and (folder / place).exists() else "",
        "when": time.strftime("%Y-%m-%d %H:%M", time.localtime(r.start)),
        "took": f"{r.seconds:.0f} s",
        "shown": [(k.replace("_", " "), number(v)) for k, v in list(r.figures.items())[:SHOWN_FIGURES]],
    }
