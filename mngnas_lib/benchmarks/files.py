"""Benchmark files on disk: which kind a file is, and where files are looked for."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from mngnas_lib.benchmarks.kit_table import COLUMNS, read_card
from mngnas_lib.errors import BenchmarkError
from mngnas_lib.places import project_folder, whole_file

#: What :func:`recognise` answers, and its words for people
TABLE_201 = "nasbench201-table"
OFFICIAL_201 = "nasbench201-official"
TABLE_101 = "nasbench101-table"
OFFICIAL_101 = "nasbench101-official"
OFFICIAL_MACRO = "nasbench-macro"
#: By search space: the kit's own tables, and their words for people
KIT = {space: f"kit-{space}" for space in ("nasbench101", "nasbench201", "nasbench-macro")}
UNKNOWN = "unknown"
KINDS = {
    TABLE_201: "a converted table of NAS-Bench-201",
    OFFICIAL_201: "the official file of NAS-Bench-201, which is to be converted once",
    TABLE_101: "a converted table of NAS-Bench-101",
    OFFICIAL_101: "an official file of NAS-Bench-101, which is to be converted once",
    OFFICIAL_MACRO: "the official JSON file of NAS-Bench-Macro",
    **{kind: f"a table of trainings of {space} by this kit" for space, kind in KIT.items()},
    UNKNOWN: "no kind of file that this kit knows",
}

#: Folders searched where no path is given: that of this environment variable, then this one, below the working
#: directory and below the project's folder
VARIABLE = "MNGNAS_BENCHMARKS"
FOLDER = Path("data", "benchmarks")

_HEAD = 4 << 20
_GZIP = b"\x1f\x8b"
_MACRO = re.compile(rb'\s*\{\s*"[012]{8}"\s*:\s*\{\s*"(test_acc|mean_acc|std|params|flops)"')
#: The first record's data: a module's hash, epochs, a matrix; its length and a checksum come before
_RECORD_101 = re.compile(rb'.{12}\["[0-9a-f]{32}", ?\d+, ?"[01]*', re.DOTALL)
#: Name of the first array of a table, by which it is known: that of an archive's first file follows 30 bytes
MARK_101 = "nasbench101"
_OFFICIAL_NAME = re.compile(r"NAS-Bench-201-v\d_\d-[0-9a-f]{6}\.pth")


def recognise(path: str | os.PathLike[str]) -> str:
    """Which kind of benchmark file ``path`` is: one of the keys of ``KINDS``.

    Looks at the beginning of the content (and, for a pickle, at its name), and executes nothing of it. A file that
    is cut short keeps its kind.

    Raises:
        BenchmarkError: there is no such file, or it cannot be read.
    """
    path = existing(path)
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise BenchmarkError(f"{path} cannot be read ({error.strerror}): check its permissions") from error
    if head.startswith(_GZIP):
        try:
            text = zlib.decompressobj(wbits=31).decompress(head, 1 << 16)
        except zlib.error:
            return UNKNOWN
    else:
        text = head
    lines = text.split(b"\n", 2)
    header = lines[0].strip().split(b",")
    if text is head and header == [name.encode() for name in COLUMNS]:
        space = lines[1].split(b",", 1)[0].decode(errors="replace") if len(lines) > 1 else ""
        if not space:  # the first training is not done yet
            with suppress(BenchmarkError):
                space = str(read_card(path)["space"])
        return KIT.get(space, UNKNOWN)
    if b"arch" in header and any(name.startswith((b"cifar10", b"imagenet16")) for name in header):
        return TABLE_201
    if _MACRO.match(text):
        return OFFICIAL_MACRO
    if head.startswith(b"PK") and head[30:].startswith(f"{MARK_101}.npy".encode()):
        return TABLE_101
    if _RECORD_101.match(head):
        return OFFICIAL_101
    # both layouts of torch.save keep strings as they are
    if head.startswith((b"\x80", b"PK")) and (b"meta_archs" in head or _OFFICIAL_NAME.fullmatch(path.name)):
        return OFFICIAL_201
    return UNKNOWN


def existing(path: str | os.PathLike[str]) -> Path:
    """``path`` as a Path.

    Raises:
        BenchmarkError: there is no file of this name.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        what = "is a folder, not a file" if path.is_dir() else "does not exist"
        raise BenchmarkError(f"benchmark file {path} {what}: give the path of the file itself")
    return path


def expect(path: str | os.PathLike[str], kind: str) -> Path:
    """``path`` as a Path, after making sure that it is of the given kind.

    Raises:
        BenchmarkError: it is not there, or of another kind (which the message tells).
    """
    path = existing(path)
    found = recognise(path)
    if found == kind:
        return path
    remedy = "give the path of the right file"
    if (found, kind) in ((OFFICIAL_201, TABLE_201), (OFFICIAL_101, TABLE_101)):
        remedy = "run `mngnas benchmark convert` (mngnas_lib.benchmarks.convert) and give the path of its result"
    raise BenchmarkError(f"{path} should be {KINDS[kind]}, but it looks like {KINDS[found]}: {remedy}")


def read_text(path: Path) -> str:
    """The text of a plain or gzipped file.

    Raises:
        BenchmarkError: it is cut short or damaged.
    """
    try:
        content = path.read_bytes()
        if content.startswith(_GZIP):
            content = gzip.decompress(content)
        return content.decode()
    except (EOFError, zlib.error, gzip.BadGzipFile, UnicodeDecodeError) as error:
        raise BenchmarkError(f"{path} is cut short or damaged ({error}): get the file again") from error
    except OSError as error:
        raise BenchmarkError(f"{path} cannot be read ({error.strerror}): check its permissions") from error


def read_json(path: Path) -> object:
    """The content of a JSON file, plain or gzipped. Errors as in :func:`read_text`."""
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise BenchmarkError(f"{path} is cut short or damaged ({error}): get the file again") from error


def checksum(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits.

    Raises:
        BenchmarkError: it cannot be read.
    """
    state = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                state.update(block)
    except OSError as error:
        raise BenchmarkError(f"{path} cannot be read ({error.strerror}): check its permissions") from error
    return state.hexdigest()


@contextmanager
def replacing(out: Path) -> Iterator[BinaryIO]:
    """A file to write to, which becomes ``out`` when the block ends; after an error nothing of it stays.

    Raises:
        BenchmarkError: ``out`` cannot be written.
    """
    try:
        with whole_file(out) as file:
            yield file
    except OSError as error:
        raise BenchmarkError(f"{out} cannot be written ({error.strerror}): choose another place") from error


def folders() -> list[Path]:
    """The folders in which benchmark files are looked for, in order, each once."""
    named = os.environ.get(VARIABLE)
    places = ([Path(named).expanduser()] if named else []) + [FOLDER, project_folder() / FOLDER]
    first: dict[Path, Path] = {}
    for place in places:
        first.setdefault(place.resolve(), place)
    return list(first.values())


def find(kind: str) -> list[Path]:
    """The files of a kind in :func:`folders`, sorted by name within each folder."""
    suffixes = (".csv", ".csv.gz", ".json", ".json.gz", ".npz", ".pth", ".tfrecord")
    found = []
    for folder in folders():
        if not folder.is_dir():
            continue
        files = (path for path in sorted(folder.iterdir()) if path.name.endswith(suffixes) and path.is_file())
        found += [path for path in files if os.access(path, os.R_OK) and recognise(path) == kind]
    return found
