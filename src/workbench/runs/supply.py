"""What the workbench stands on: a bill of materials from the lock, its licences held to a policy, an audit of it.

    python -m workbench.runs.supply sbom      # CycloneDX 1.6, JSON
    python -m workbench.runs.supply licences  # exit code 1 where one is not allowed
    python -m workbench.runs.supply audit     # known vulnerabilities, by pip-audit; closed where nobody can be asked

The bill is written here and not by `cyclonedx-python-lib`, which would be one more dependency for one plain document.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import subprocess
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata, version
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCK = Path(__file__).parents[3] / "requirements.lock"
POLICY = Path(__file__).with_name("licences.yaml")
US = "loan-workbench"


@dataclass(frozen=True)
class Pin:
    """One package of the lock: its version, for which machines, the digests of its files, and who asks for it."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]
    via: tuple[str, ...]

    @property
    def purl(self) -> str:
        """The package's address in a bill of materials."""
        return f"pkg:pypi/{self.name}@{self.version}"


def pins(lock: Path = LOCK) -> list[Pin]:
    """Return the packages of a lock, in its order."""
    blocks = re.split(r"\n(?=[a-z0-9])", lock.read_text(encoding="utf-8"), flags=re.I)
    return [_pin(b) for b in blocks if re.match(r"[\w.\-]+(\[.*?\])?==", b)]


def _pin(block: str) -> Pin:
    wanted = Requirement(block.partition("\n")[0].rstrip(" \\"))
    comments = " ".join(re.findall(r"#\s*(.*)", block)).removeprefix("via ")
    via = sorted({canonicalize_name(n) for n in re.findall(r"[A-Za-z][\w.\-]*", re.sub(r"\(.*?\)", "", comments))})
    hashes = tuple(re.findall(r"--hash=sha256:(\w+)", block))
    return Pin(canonicalize_name(wanted.name), str(wanted.specifier)[2:], str(wanted.marker or ""), hashes, tuple(via))


def bill(lock: Path = LOCK) -> dict[str, Any]:
    """Return the bill of materials (CycloneDX 1.6); the same lock gives the same bill."""
    locked = pins(lock)
    known, policy = {p.name: p.purl for p in locked}, _policy()
    asked = {p.name: [q.purl for q in locked if p.name in q.via] for p in locked}
    ours = {"type": "application", "bom-ref": US, "name": US, "version": version(US)}
    edges = [{"ref": known[n], "dependsOn": sorted(refs)} for n, refs in asked.items()]
    edges.append({"ref": US, "dependsOn": sorted(p.purl for p in locked if US in p.via)})
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.UUID(hashlib.sha256(lock.read_bytes()).hexdigest()[:32], version=4)}",
        "version": 1,
        "metadata": {"component": ours},
        "components": [_component(p, policy) for p in locked],
        "dependencies": sorted(edges, key=lambda e: e["ref"]),
    }


def _component(pin: Pin, policy: dict[str, Any]) -> dict[str, Any]:
    licence = licence_of(pin.name, policy)
    marker = [{"name": "marker", "value": pin.marker}] if pin.marker else []
    return {
        "type": "library",
        "bom-ref": pin.purl,
        "name": pin.name,
        "version": pin.version,
        "purl": pin.purl,
        "hashes": [{"alg": "SHA-256", "content": h} for h in pin.hashes],
        "licenses": [{"expression": licence}] if licence else [],
        "properties": marker,
    }


def _policy() -> dict[str, Any]:
    return yaml.safe_load(POLICY.read_text(encoding="utf-8"))


def licence_of(name: str, policy: dict[str, Any]) -> str:
    """Return a package's licence as an SPDX expression; empty where neither it nor the policy says one."""
    if named := policy["named"].get(name):
        return str(named["licence"])
    try:
        about = metadata(name)
    except PackageNotFoundError:
        return ""
    return about.get("License-Expression") or _spelt(about, policy["spellings"])


def _spelt(about: PackageMetadata, spellings: dict[str, str]) -> str:
    """Return what older metadata say, in SPDX's words: the licence's first line, else its classifiers."""
    text = (about.get("License") or "").strip().partition("\n")[0]
    if text in spellings or text in spellings.values():
        return spellings.get(text, text)
    names = [c.rpartition(" :: ")[2] for c in about.get_all("Classifier") or [] if c.startswith("License")]
    known = [spellings[n] for n in names if n in spellings]
    return " AND ".join(dict.fromkeys(known))


def is_allowed(expression: str, allowed: list[str]) -> bool:
    """Say whether an SPDX expression can be fulfilled with allowed licences alone.

    >>> is_allowed("GPL-3.0-only OR MIT", ["MIT"]), is_allowed("AGPL-3.0-only", ["MIT"])
    (True, False)
    """
    words = {"AND": "and", "OR": "or", "(": "(", ")": ")"}
    tokens = re.findall(r"[()]|[^\s()]+", expression)
    return bool(tokens) and _holds(
        ast.parse(" ".join(words.get(t, str(t in allowed)) for t in tokens), mode="eval").body
    )


def _holds(node: ast.expr) -> bool:
    if isinstance(node, ast.BoolOp):
        return (all if isinstance(node.op, ast.And) else any)(_holds(v) for v in node.values)
    return isinstance(node, ast.Constant) and node.value is True


def refused(lock: Path = LOCK) -> list[str]:
    """Return a line for each package of this machine whose licence the policy doesn't allow, or that says none."""
    policy, lines = _policy(), []
    for pin in pins(lock):
        licence = licence_of(pin.name, policy)
        is_here = not pin.marker or Requirement(f"{pin.name}; {pin.marker}").marker.evaluate()
        if is_here and not is_allowed(licence, policy["allowed"]):
            lines.append(f"{pin.name} {pin.version}: licence {licence or 'not said'} is not allowed by {POLICY.name}")
    return lines


def audited(answer: subprocess.CompletedProcess[str]) -> tuple[int, list[str]]:
    """Return exit code and lines of an audit from what pip-audit answered: 0 none known, 1 some, 2 not checked."""
    try:
        packages = json.loads(answer.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        if "No module named pip_audit" in answer.stderr:
            return 2, ["audit: pip-audit is not there, nothing was checked; `make audit` sets it up"]
        last = (answer.stderr.strip().splitlines() or ["it said nothing"])[-1]
        why = f"nothing was checked ({last[:160]})"
        return 2, [f"audit: the source of known vulnerabilities could not be reached; {why}"]
    skipped = [f"{p['name']}: {p['skip_reason']}" for p in packages if "skip_reason" in p]
    known = [f"{p['name']} {p['version']}: {v['id']}" for p in packages for v in p.get("vulns", ())]
    if skipped or not packages:
        why = skipped[0] if skipped else "none was named"
        count = f"{len(skipped)} of {len(packages)} packages ({why})"
        return 2, [f"audit: the source of known vulnerabilities could not be reached for {count}", *known]
    return (1, known) if known else (0, [f"audit: {len(packages)} packages, none with a known vulnerability"])


def _sbom() -> tuple[int, list[str]]:
    return 0, [json.dumps(bill(), indent=1)]


def _licences() -> tuple[int, list[str]]:
    lines = refused()
    return (1, lines) if lines else (0, [f"licences: {len(pins())} packages, all allowed by {POLICY.name}"])


def _audit() -> tuple[int, list[str]]:
    """Ask pip-audit, which stands in an environment of its own (`make audit`)."""
    command = [sys.argv[2] if len(sys.argv) > 2 else sys.executable, "-m", "pip_audit", "--requirement", str(LOCK)]
    command += ["--require-hashes", "--disable-pip", "--format", "json", "--progress-spinner", "off"]
    return audited(subprocess.run(command, capture_output=True, text=True))


COMMANDS: dict[str, Callable[[], tuple[int, list[str]]]] = {"sbom": _sbom, "licences": _licences, "audit": _audit}


def main() -> int:
    """Run a command; exit codes: 0 well, 1 not allowed or known to be vulnerable, 2 not checked."""
    asked = sys.argv[1] if len(sys.argv) > 1 else ""
    if asked not in COMMANDS:
        sys.stderr.write(f"supply: name one of {', '.join(COMMANDS)}\n")
        return 2
    code, lines = COMMANDS[asked]()
    (sys.stdout if code == 0 else sys.stderr).write("\n".join(lines) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
