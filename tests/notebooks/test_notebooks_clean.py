"""Cleaning: what differs from machine to machine goes, what a reader is meant to see stays."""

import base64
import io
import sys
import tempfile
import time
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mngnas_lib.notebooks.clean import WIDGET, clean
from mngnas_lib.notebooks.source import METADATA, dumps

ROOT = Path("/somewhere/kit")


def cleaned(*outputs, root=ROOT):
    """The outputs of a cell after cleaning."""
    return clean(new_notebook(cells=[new_code_cell("x", outputs=list(outputs))]), root).cells[0].outputs


def stream(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def shown(data, kind="display_data", **more):
    return new_output(kind, data=data, **more)


def test_text_and_values_stay():
    outputs = cleaned(stream("a\n"), shown({"text/plain": "42"}, "execute_result", execution_count=1))
    assert [outputs[0].text, outputs[1].data["text/plain"]] == ["a\n", "42"]


def test_streams_are_joined_in_their_order():
    outputs = cleaned(stream("a\n"), stream("b\n"), stream("e\n", "stderr"), stream("c\n"))
    assert [(output.name, output.text) for output in outputs] == [
        ("stdout", "a\nb\n"),
        ("stderr", "e\n"),
        ("stdout", "c\n"),
    ]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("epoch 1: 10%|#   | 1/10 [00:01<00:09, 1.00it/s]\repoch 1: 100%|####| 10/10 [00:10<00:00]\nend\n", "end\n"),
        ("old\rnew\n", "new\n"),
        ("windows\r\nlines\r\n", "windows\nlines\n"),
        ("\x1b[31mred\x1b[0m\n", "red\n"),
        ("accuracy 93% | loss 0.1\n", "accuracy 93% | loss 0.1\n"),
        ("4,100 images/s\n", "4,100 images/s\n"),
    ],
)
def test_progress_bars_go(text, left):
    assert cleaned(stream(text))[0].text == left


def test_a_stream_of_bars_alone_leaves_nothing():
    assert cleaned(stream(" 50%|##  | 5/10 [00:01<00:01, 4.2it/s]\r100%|####| 10/10 [00:02<00:00]", "stderr")) == []


def test_bars_that_came_in_pieces():
    assert cleaned(stream(" 50%|##"), stream("  | 5/10\r100%|####| 10/10"), stream("\ndone\n"))[0].text == "done\n"


def test_widgets_go():
    notebook = new_notebook(
        cells=[new_code_cell("x", outputs=[shown({WIDGET: {"model_id": "1"}, "text/plain": "interactive(...)"})])],
        metadata={
            "widgets": {"state": {}},
            "kernelspec": {"name": "mine", "display_name": "Mine"},
            "language_info": {"name": "python", "version": "3.11.7"},
        },
    )
    notebook.cells[0].metadata = {"execution": {"iopub.busy": "now"}, "tags": ["kept"]}
    result = clean(notebook, ROOT)
    assert result.metadata == METADATA
    assert result.cells[0].metadata == {"tags": ["kept"]}
    assert result.cells[0].outputs == []


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"{ROOT}/figures/a.png", "figures/a.png"),
        (f"in {ROOT}: 3 files", "in : 3 files"),
        (f"{ROOT}-other/a", f"{ROOT}-other/a"),
        (f"{Path.home()}/data" if len(Path.home().parts) > 1 else "~/data", "~/data"),
        (f"{sys.prefix}/lib/x.py", "<python>/lib/x.py"),
        (f"{tempfile.gettempdir()}/ipykernel_77/1234.py:3: UserWarning: careful", "<cell>:3: UserWarning: careful"),
        ("<Figure at 0x7f2d1c0b9a90>", "<Figure at 0x…>"),
        ("0x1f is small", "0x1f is small"),
    ],
)
def test_paths_and_addresses_are_neutral(text, left):
    assert cleaned(stream(text))[0].text == left
    outputs = cleaned(shown({"text/plain": text, "text/html": f"<p>{text}</p>"}))
    assert outputs[0].data == {"text/plain": left, "text/html": f"<p>{left}</p>"}


def test_a_project_in_the_root_folder_does_not_swallow_all_paths():
    assert cleaned(stream("/etc/hosts and a/b"), root=Path("/"))[0].text == "/etc/hosts and a/b"


@pytest.mark.parametrize("text", ["x" * 500_000, "7" * 500_000, "0" * 500_000 + "x"])
def test_long_lines_are_cleaned_at_once(text):
    start = time.perf_counter()
    assert cleaned(stream(text))[0].text == text
    assert time.perf_counter() - start < 2


def test_tracebacks_are_cut_to_their_last_line():
    error = new_output("error", ename="KitError", evalue=f"{ROOT}/a.csv is missing", traceback=["many", "lines"])
    output = cleaned(error)[0]
    assert output.traceback == ["KitError: a.csv is missing"]
    assert output.evalue == "a.csv is missing"


def plain_picture():
    image = Image.new("RGB", (60, 40), "white")
    image.paste("#0072B2", (10, 10, 30, 30))
    return image


def noisy_picture():
    bands = [Image.effect_noise((60, 40), 90) for _ in range(3)]
    return Image.merge("RGB", bands)


def transparent_picture():
    image = plain_picture().convert("RGBA")
    image.paste((255, 255, 255, 0), (0, 0, 5, 5))
    return image


@pytest.mark.parametrize(
    ("image", "mode"),
    [
        (plain_picture(), "P"),
        (plain_picture().convert("RGBA"), "P"),
        (noisy_picture(), "RGB"),
        (transparent_picture(), "RGBA"),
    ],
    ids=["plain", "opaque", "noisy", "transparent"],
)
def test_pictures_keep_their_pixels_and_lose_the_rest(image, mode):
    note = PngInfo()
    note.add_text("Software", "Matplotlib version 9.9")
    file = io.BytesIO()
    image.save(file, "PNG", pnginfo=note)
    encoded = base64.b64encode(file.getvalue()).decode()
    data = cleaned(shown({"image/png": encoded}))[0].data["image/png"]
    assert cleaned(shown({"image/png": data}))[0].data["image/png"] == data
    result = base64.b64decode(data)
    assert b"Matplotlib" not in result
    with Image.open(io.BytesIO(result)) as again:
        assert again.mode == mode
        assert again.convert(image.mode).tobytes() == image.tobytes()


def test_a_picture_that_cannot_be_read_stays():
    assert cleaned(shown({"image/png": "bm90IGEgcGljdHVyZQ=="}))[0].data["image/png"] == "bm90IGEgcGljdHVyZQ=="


def test_cleaning_twice_changes_nothing_and_leaves_the_input_alone():
    notebook = new_notebook(
        cells=[
            new_markdown_cell("# A"),
            new_code_cell("x", outputs=[stream(f"{ROOT}/a\n"), shown({"text/plain": "<a 0x7f0000001>"})]),
        ]
    )
    before = dumps(notebook)
    once = dumps(clean(notebook, ROOT))
    assert dumps(notebook) == before
    assert dumps(clean(clean(notebook, ROOT), ROOT)) == once != before
