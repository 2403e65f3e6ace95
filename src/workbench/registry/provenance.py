"""Where a run's code came from: the commit of the workbench's folder, the installed packages, the account it ran under.

None of it is in a step's key: a commit that changes nothing the step stands on makes no new result.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import platform
import re
import subprocess
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from workbench import home
from workbench.archive import unpack
from workbench.params import UserError

COMMIT, ENVIRONMENT, USER = "commit", "environment", "user"
PACKAGES = "environment.txt"  # the artifact that lists the packages
PARTS = ("notebooks", "params", "src")  # of the workbench's folder: what a result depends on
_CLEAN = re.compile(r"^[0-9a-f]{40}$")


def facts() -> dict[str, str]:
    """Return commit, digest of the package list and account, as a run's parameters hold them."""
    return {COMMIT: commit(home.root()), ENVIRONMENT: hashlib.sha256(packages().encode()).hexdigest(), USER: _user()}


def commit(root: Path) -> str:
    """Return the commit (40 hex digits) of a folder; with `, changed: N files` behind it where not all is committed.

    Only files below `PARTS` count. A folder without version control has `none: ` and why.
    """
    try:
        head = _git(root, "rev-parse", "HEAD").strip()
        changed = _git(root, "status", "--porcelain", "--untracked-files=all", "--", *PARTS).splitlines()
    except FileNotFoundError:
        return "none: git is not installed"
    except subprocess.CalledProcessError:
        return "none: the workbench's folder is not under version control"
    return f"{head}, changed: {len(changed)} file{'s' if len(changed) > 1 else ''}" if changed else head


def is_clean(commit_: str) -> bool:
    """Say whether a recorded commit holds all the run's code.

    >>> is_clean("0" * 40), is_clean("0" * 40 + ", changed: 1 file"), is_clean("none: git is not installed")
    (True, False, False)
    """
    return bool(_CLEAN.match(commit_))


def check_out(root: Path, commit_: str, target: Path) -> None:
    """Lay the folder as a commit holds it into `target`; `UserError` where its version control doesn't know the commit.

    Nothing of the folder's own state is touched.
    """
    try:
        archive = _git(root, "archive", "--format=tar", commit_, text=False)
    except FileNotFoundError:
        raise UserError("git is not installed; it holds the code of the run") from None
    except subprocess.CalledProcessError:
        raise UserError(f"commit {commit_[:12]} is not in the workbench's folder; fetch it (`git fetch`)") from None
    unpack(archive, target)


@cache
def packages() -> str:
    """Return Python, platform and every installed distribution with its version, a line each, sorted by name."""
    installed = {re.sub(r"[-_.]+", "-", d.metadata["Name"]).lower(): d.version for d in distributions()}
    head = [f"python {platform.python_version()}", f"platform {platform.system().lower()} {platform.machine()}"]
    return "\n".join([*head, *(f"{name}=={installed[name]}" for name in sorted(installed)), ""])


def _git(root: Path, *command: str, text: bool = True) -> Any:
    env = {n: v for n, v in os.environ.items() if not n.startswith("GIT_")} | {"GIT_OPTIONAL_LOCKS": "0"}
    return subprocess.run(
        ["git", "-C", str(root), *command], env=env, capture_output=True, text=text, check=True
    ).stdout


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as in a container
        return f"uid {os.getuid()}"
