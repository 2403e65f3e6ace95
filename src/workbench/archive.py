"""A tar unpacked into a folder, and into no other."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path


def unpack(content: bytes, folder: Path) -> None:
    """Lay what a tar holds into a folder; `tarfile.TarError` where an entry would lie outside it or is no file."""
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        if hasattr(tarfile, "data_filter"):
            tar.extractall(folder, filter="data")
            return
        for entry in tar:  # Python before 3.11.4, which is Debian 12's, has no filter
            is_inside = (folder / entry.name).resolve().is_relative_to(folder.resolve())
            if not is_inside or not (entry.isreg() or entry.isdir() or entry.issym()):
                raise tarfile.ExtractError(f"'{entry.name}' is no file within the folder")
            tar.extract(entry, folder)
