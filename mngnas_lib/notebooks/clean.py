"""Outputs without what differs from machine to machine: widget state, timings, paths, progress bars, addresses."""

from __future__ import annotations

import base64
import binascii
import io
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from PIL import Image, ImageChops, ImageStat, UnidentifiedImageError

from mngnas_lib.notebooks.source import METADATA

#: Mean difference, in 255ths of a channel, up to which a picture with a palette counts as the same
MOST_COLOUR_ERROR = 1.0
WIDGET = "application/vnd.jupyter.widget-view+json"

_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_CELL_FILE = re.compile(r"<tmp>[/\\]ipykernel_\d+[/\\]\d+\.py")
_PROGRESS = re.compile(r"\d{1,3}%\|.*\||\b\d+(\.\d+)?(it|s/it|batch|img)/s\]")


def clean(notebook: NotebookNode, root: Path) -> NotebookNode:
    """A copy of an executed notebook that holds only what a reader is meant to see.

    * metadata is the same for all; no widget state, no execution times;
    * widgets' outputs and progress bars are dropped, consecutive pieces of one stream are joined;
    * paths of the project, the home and the temporary folder, and memory addresses are made neutral;
    * PNG pictures lose the entry that names matplotlib's version, and get a palette where that looks the same;
    * tracebacks are cut to their last line.
    """
    result = nbformat.from_dict(notebook)
    result.metadata = nbformat.from_dict(METADATA)
    neutral = _neutral(root)
    for cell in result.cells:
        cell.metadata = nbformat.from_dict({key: value for key, value in cell.metadata.items() if key == "tags"})
        if cell.cell_type == "code":
            cell.outputs = _clean_outputs(cell.outputs, neutral)
    return result


def _clean_outputs(outputs: list[NotebookNode], neutral: Callable[[str], str]) -> list[NotebookNode]:
    kept: list[NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream":
            joins = kept and kept[-1].output_type == "stream" and kept[-1].name == output.name
            if joins:
                kept[-1].text += output.text
            else:
                kept.append(output)
        elif output.output_type == "error":
            output.evalue = neutral(output.evalue)
            output.traceback = [f"{output.ename}: {output.evalue}"]
            kept.append(output)
        elif WIDGET not in output.data:
            output.metadata = nbformat.from_dict({})
            output.data = nbformat.from_dict(
                {kind: _clean_data(kind, value, neutral) for kind, value in output.data.items()}
            )
            kept.append(output)
    for output in kept:
        if output.output_type == "stream":
            output.text = neutral(_without_progress(output.text))
    return [output for output in kept if output.output_type != "stream" or output.text.strip()]


def _clean_data(kind: str, value: object, neutral: Callable[[str], str]) -> object:
    if kind == "image/png" and isinstance(value, str):
        return _plain_png(value)
    if isinstance(value, str) and (kind.startswith("text/") or kind == "image/svg+xml"):
        return neutral(value)
    return value


def _without_progress(text: str) -> str:
    """What a terminal would show at the end: a carriage return starts its line anew, and bars are not results."""
    lines = [line.rstrip("\r").rsplit("\r", 1)[-1] for line in _ANSI.sub("", text).split("\n")]
    return "\n".join(line for line in lines if not _PROGRESS.search(line))


def _neutral(root: Path) -> Callable[[str], str]:
    """A function that takes this machine's folders out of a text; a file of the project is named from its root."""
    folders = {str(root): "", str(Path.home()): "~", sys.prefix: "<python>", sys.base_prefix: "<python>"}
    folders.setdefault(tempfile.gettempdir(), "<tmp>")
    patterns = []
    # longest first: the environment may lie in the project, and the project in the home folder
    for folder, name in sorted(folders.items(), key=lambda item: -len(item[0])):
        if len(Path(folder).parts) > 1:  # "/" would match everything
            end = r"(?:[/\\]|(?![\w.-]))" if not name else r"(?![\w.-])"
            patterns.append((re.compile(re.escape(folder) + end), name))

    def neutral(text: str) -> str:
        for pattern, name in patterns:
            text = pattern.sub(lambda _, name=name: name, text)
        return _ADDRESS.sub("0x…", _CELL_FILE.sub("<cell>", text))

    return neutral


def _plain_png(encoded: str) -> str:
    try:
        image = Image.open(io.BytesIO(base64.b64decode(encoded)))
        image.load()
    except (binascii.Error, UnidentifiedImageError, OSError):
        return encoded  # not a picture that we understand: leave it as it is
    image.info = {}
    image = _with_palette(image)
    plain = io.BytesIO()
    image.save(plain, format="PNG", optimize=True)
    return base64.b64encode(plain.getvalue()).decode() + "\n"


def _with_palette(image: Image.Image) -> Image.Image:
    """The picture in at most 256 colours where that looks the same: figures become two to three times smaller."""
    opaque = image.mode == "RGB" or (image.mode == "RGBA" and image.getextrema()[3] == (255, 255))
    if not opaque:
        return image
    full = image.convert("RGB")
    small = full.quantize(256, dither=Image.Dither.NONE)
    error = ImageStat.Stat(ImageChops.difference(full, small.convert("RGB"))).mean
    return small if max(error) < MOST_COLOUR_ERROR else image
