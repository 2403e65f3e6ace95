"""What there is to run, by the files alone: nothing is checked, and nothing heavy imported."""

from __future__ import annotations

from pathlib import Path

from workbench import home


def studies() -> list[Path]:
    """Return the files in params/ that look like studies: the schedule lies beside them."""
    return [p for p in sorted((home.root() / "params").glob("*.yaml")) if _has_steps(p)]


def steps() -> list[str]:
    """Return the steps there are: every notebook at the path of its module."""
    folder = home.root() / "notebooks"
    return sorted(str(p.relative_to(folder).with_suffix("")) for p in folder.glob("*/*.ipynb") if "." not in p.stem)


def _has_steps(path: Path) -> bool:
    return any(line.startswith(b"steps:") for line in path.read_bytes().splitlines())
