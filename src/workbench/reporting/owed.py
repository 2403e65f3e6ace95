"""What is owed for a version, as its documents show it: findings of validators, conditions of approvals."""

from __future__ import annotations

import pandas as pd

from workbench.registry import obligations
from workbench.registry.obligations import Finding
from workbench.reporting.document import Rows, Sheet, absent
from workbench.reporting.dossier import Dossier
from workbench.words import Text, heard, say


def open_findings(d: Dossier) -> Text | str:
    """Return the findings on the version that nobody has closed, with severity, owner and day."""
    those = [f for f in _findings(d) if f.is_open and f.version == d.registered.version]
    parts = []
    for f in those:
        named_ = {"text": f.text, "severity": heard(f.severity), "owner": f.owner, "due": f.due}
        parts.append(say("{text} ({severity}, {owner}, due {due})", **named_))
    return say("{parts}", parts=parts) if parts else ""


def _findings(d: Dossier) -> list[Finding]:
    return obligations.findings(d.chain, d.registered.model)


def findings_sheet(d: Dossier, *, earlier: bool = False, why: Text | None = None) -> Sheet | Rows:
    """Return the findings on the version, or those on earlier versions of its model, with how each was closed."""
    version = int(d.registered.version)
    those = [f for f in _findings(d) if (int(f.version) < version if earlier else int(f.version) == version)]
    if not those:
        key, unrecorded = "finding_before" if earlier else "finding", say("none is recorded in the chain")
        return absent(key, say("Findings"), why or unrecorded)
    rows = [
        {
            "event": f.number,
            "version": f.version,
            "severity": heard(f.severity),
            "finding": f.text,
            "raised": f"{f.raised}, {f.by}",
            "owner": f.owner,
            "due": f.due,
            "closed": say("event {event}: {how}", event=f.closed, how=f.how) if f.closed else say("open"),
            "test": f.test,
        }
        for f in those
    ]
    return Sheet(say("Findings"), pd.DataFrame(rows, dtype=object), "governance/events")


def conditions_sheet(d: Dossier) -> Sheet | Rows:
    """Return the conditions under which the version was approved, with owner and day."""
    if not d.standing.conditions:
        return absent("condition", say("Conditions"), say("none was set"))
    each = map(obligations.condition, d.standing.conditions)
    rows = [{"condition": c.text, "owner": c.owner, "due": c.due} for c in each]
    return Sheet(say("Conditions"), pd.DataFrame(rows, dtype=object), "governance/events")
