"""Unpacking: files, folders and links within the folder; nothing outside it, with and without tarfile's own filter."""

import io
import tarfile

import pytest

from workbench.archive import unpack

pytestmark = pytest.mark.filterwarnings("ignore:Python 3.14 will, by default, filter")  # of a Python that has a filter


@pytest.fixture(params=["data_filter", "no filter"])
def folder(request, tmp_path, monkeypatch):
    if request.param == "no filter":  # as Python before 3.11.4
        monkeypatch.delattr(tarfile, "data_filter", raising=False)
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def _tar(*entries: tuple[str, bytes, str]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, kind, target in entries:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, target
            tar.addfile(entry, io.BytesIO())
    return out.getvalue()


def test_files_folders_and_links_lie_where_they_say(folder):
    unpack(_tar(("a", tarfile.DIRTYPE, ""), ("a/b", tarfile.REGTYPE, ""), ("c", tarfile.SYMTYPE, "a/b")), folder)
    assert (folder / "a/b").is_file() and (folder / "c").resolve() == folder / "a/b"


@pytest.mark.parametrize(
    "entries",
    [
        [("../out", tarfile.REGTYPE, "")],
        [("way", tarfile.SYMTYPE, ".."), ("way/out", tarfile.REGTYPE, "")],
        [("out", tarfile.FIFOTYPE, "")],
    ],
)
def test_nothing_is_laid_outside(folder, entries):
    with pytest.raises(tarfile.TarError):
        unpack(_tar(*entries), folder)
    assert not (folder.parent / "out").exists() and not (folder / "out").exists()
