"""The book: links, pages, places of figures, what a page would load; and, where Sphinx is installed, all of it."""

import re
import shutil
from html.parser import HTMLParser

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from mngnas_lib.notebooks.book import build
from mngnas_lib.notebooks.book.build import build_book, gather
from mngnas_lib.notebooks.book.links import Links
from mngnas_lib.notebooks.book.loads import loads_of_page, outside_loads
from mngnas_lib.notebooks.book.pages import goals_of, notebook_page, register_page, shown_in, title_of
from mngnas_lib.notebooks.source import NotebookError, dumps, notebook_path, project_folder, read_source
from mngnas_lib.register import ITEMS, get_item
from mngnas_lib.register.artefacts import files_of
from mngnas_lib.register.state import State

README = """# The kit

[![Open in Colab](https://example.org/badge.svg)](https://example.org/open)

What it is for; see [the index](figures/INDEX.md).

## Two commands

Look at [the first](notebooks/00_start_here.ipynb) and at [the code](mngnas_lib/spaces).
"""
MARKDOWN = r"""## 1 A section

A weight $\alpha_e \ge 0$, back to [the front](../README.md), to [Table V](../figures/tables/tab-05.md),
to [the second section](01_next.ipynb#2-More-of-it), to [the licence](../LICENSE).

$$ \min_\alpha \tfrac12 \Big\| p - \sum_e \alpha_e p_e \Big\|^2 \qquad (11) $$

> **Predict.** What comes out?

<details><summary>Hint</summary>

It is *small*, $x = 1$.

</details>
"""
PAGES = {
    "README.md": "index.md",
    "figures/tables/tab-05.md": "tables.md#tab-05",
    "notebooks/01_next.ipynb": "notebooks/01_next.ipynb",
}


@pytest.fixture
def links(tmp_path):
    (tmp_path / "mngnas_lib").mkdir()
    return Links(tmp_path, "someone/some-kit", PAGES)


@pytest.mark.parametrize(
    ("folder", "target", "wanted"),
    [
        ("", "notebooks/01_next.ipynb", "notebooks/01_next.ipynb"),
        ("notebooks", "01_next.ipynb", "01_next.ipynb"),
        ("notebooks", "01_next.ipynb#3.-The-search", "01_next.ipynb#3-the-search"),
        ("notebooks", "../README.md", "../index.md"),
        ("notebooks", "../figures/tables/tab-05.md", "../tables.md#tab-05"),
        ("notebooks", "../figures/overview.svg", "../figures/overview.svg"),
        ("notebooks", "../LICENSE", "https://github.com/someone/some-kit/blob/main/LICENSE"),
        ("", "mngnas_lib", "https://github.com/someone/some-kit/tree/main/mngnas_lib"),
        ("notebooks", "#a-heading", "#a-heading"),
        ("notebooks", "https://example.org/a.ipynb", "https://example.org/a.ipynb"),
        ("notebooks", "mailto:a@example.org", "mailto:a@example.org"),
    ],
)
def test_where_a_link_leads(links, folder, target, wanted):
    assert links.rewrite(f"see [x]({target}), then", folder) == f"see [x]({wanted}), then"


def test_pictures_from_elsewhere_become_words(links):
    badge = "[![Open in Colab](https://example.org/badge.svg)](https://example.org/open)"
    assert links.rewrite(badge, "") == "[Open in Colab](https://example.org/open)"
    assert links.rewrite("![The method](figures/overview.svg)", "") == "![The method](figures/overview.svg)"


@pytest.mark.parametrize(
    ("page", "address"),
    [
        ('<script src="https://a.example/x.js"></script>', "https://a.example/x.js"),
        ('<script async src="//a.example/x.js"></script>', "//a.example/x.js"),
        ('<link rel="stylesheet" href="https://a.example/x.css">', "https://a.example/x.css"),
        ('<link rel="preconnect" href="https://a.example">', "https://a.example"),
        ('<img alt="b" src="http://a.example/x.png"/>', "http://a.example/x.png"),
        ('<object data="https://a.example/x.svg"></object>', "https://a.example/x.svg"),
        ("<style>@import url(https://a.example/x.css);</style>", "https://a.example/x.css"),
        ("<style>@font-face { src: url('https://a.example/x.woff') }</style>", "https://a.example/x.woff"),
        ('<p style="background: url(https://a.example/x.png)">', "https://a.example/x.png"),
        ('<svg><image xlink:href="https://a.example/x.png"/></svg>', "https://a.example/x.png"),
    ],
)
def test_what_a_page_loads_from_elsewhere(page, address):
    assert loads_of_page(f"<html><body>{page}</body></html>") == [address]


@pytest.mark.parametrize(
    "page",
    [
        '<a href="https://a.example/">follow me</a>',
        '<link rel="canonical" href="https://a.example/"><link rel="next" href="b.html">',
        '<script src="_static/x.js?v=1"></script><img src="../_images/x.png">',
        '<img src="data:image/png;base64,iVBOR">',
        '<svg xmlns="http://www.w3.org/2000/svg"><use href="#a"/></svg>',
        "<style>a { color: red } /* see https://a.example */</style>",
        "<code>url(https://a.example/x.png)</code>",
    ],
)
def test_what_is_no_load(page):
    assert loads_of_page(page) == []


def test_style_sheets_are_looked_at(tmp_path):
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "a.css").write_text('@import "https://a.example/b.css";\np { background: url(c.png) }\n')
    assert outside_loads(tmp_path) == ["static/a.css: https://a.example/b.css"]


def test_a_notebook_page(links):
    bootstrap = new_code_cell("import x", metadata={"tags": ["bootstrap"]})
    cells = [new_markdown_cell("# 08 · A\n\nback to [the kit](../README.md)"), bootstrap]
    cells += [new_code_cell("x = 1"), new_code_cell('show("tab-05")'), new_code_cell('"fig-10", show("fig-01")')]
    notebook = new_notebook(cells=cells)
    before = dumps(notebook)
    page = notebook_page(notebook, "08_nas_benchmarks", links)
    assert dumps(notebook) == before
    nbformat.validate(page)
    assert [cell.source for cell in page.cells] == [
        "# 08 · A\n\nback to [the kit](../index.md)",
        "import x",
        "x = 1",
        "(shown-tab-05)=",
        'show("tab-05")',
        "(shown-fig-10)=",  # but not fig-01, which another notebook shows
        '"fig-10", show("fig-01")',
    ]
    assert page.cells[1].metadata.tags == ["bootstrap", "hide-input"]


@pytest.mark.parametrize("path", sorted((project_folder() / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_links_of_the_notebooks_lead_to_files(path):
    text = "\n".join(c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "markdown")
    targets = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if ":" not in link]
    assert [target for target in targets if target and not (path.parent / target).exists()] == []


def test_title_goals_and_what_is_shown(project):
    notebook = read_source(project.add("00_start_here", "show('fig-01')", "show('fig-01')"))
    assert (title_of(notebook), goals_of(notebook)) == ("00 · A test", "test.")
    assert shown_in(notebook) == {"fig-01": 2}


def test_the_register_has_every_figure_and_table_once(project):
    shown = read_source(project.add("00_start_here", "show('fig-01')"))
    states = {item.id: State(item, "laptop", 0, 4, None) for item in ITEMS}
    states["tab-05"] = State(get_item("tab-05"), "laptop", 1, 4, "2026-11-25T10:00")
    notebooks = {"00_start_here": shown, "04_distillation": new_notebook(cells=[new_markdown_cell("# 04 · B")])}
    text = register_page(states, notebooks)
    rows = {item.id: [line for line in text.splitlines() if f"| {item.caption} |" in line] for item in ITEMS}
    assert {name: len(found) for name, found in rows.items()} == {item.id: 1 for item in ITEMS}
    assert "[00 · A test](notebooks/00_start_here.ipynb#shown-fig-01)" in rows["fig-01"][0]
    assert rows["fig-02"][0].endswith("| [04 · B](notebooks/04_distillation.ipynb) |")  # not shown there yet
    assert "| 09, not there yet |" in rows["fig-03"][0]
    assert "partial (1 of 4 runs) under laptop, 2026-11-25" in rows["tab-05"][0]
    assert "(tables.md#tab-05)" in rows["tab-05"][0]
    assert "Of these 30, 3 are diagrams that need no run, 0 are measured and 1 are measured in part" in text


# ---------------------------------------------------------------------- a whole project


@pytest.fixture
def whole(project, monkeypatch):
    """A project with two notebooks that were built, README, and the files of the register; nothing is measured."""
    monkeypatch.setattr(build, "state_of", lambda item, profile: State(item, profile, 0, 0, None))
    here = project_folder()
    shutil.copytree(here / "book", project.root / "book")
    (project.root / "README.md").write_text(README, encoding="utf-8")
    for item in ITEMS:
        for path in files_of(item, "laptop", project.root):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"**{item.title}** (Section I) · text\n\n| a |\n| --- |\n| 1 |\n", encoding="utf-8")
    table = "<table><tr><td>1</td></tr></table>"
    outputs = {
        "print(1)": new_output("stream", text="one\n"),
        "frame": new_output("display_data", data={"text/html": table, "text/plain": "1"}),
        "show('fig-01')": new_output("display_data", data={"text/markdown": "| a |\n| --- |\n| **bold** |"}),
    }
    for name in ("00_start_here", "01_next"):
        source = project.add(name, *outputs)
        notebook = read_source(source)
        notebook.cells[0].source = notebook.cells[0].source.replace("(badge.svg)", "(https://example.org/badge.svg)")
        for cell in notebook.cells:
            if cell.source in outputs:
                cell.outputs, cell.execution_count = [outputs[cell.source]], 1
        notebook.cells.append(new_markdown_cell(MARKDOWN + "\n## 2 More of it\n\nThe end."))
        notebook_path(project.root, source).write_text(dumps(notebook), encoding="utf-8")
    return project


def test_what_sphinx_reads(whole, tmp_path):
    folder = tmp_path / "source"
    gather(whole.root, folder)
    front, kit = ((folder / name).read_text(encoding="utf-8") for name in ("index.md", "kit.md"))
    assert front.startswith("# The kit\n\n[Open in Colab](https://example.org/open)")
    assert "[the index](register.md)" in front
    assert "Two commands" not in front
    assert "* **[01 · A test](notebooks/01_next.ipynb)**: test." in front
    listed = re.findall(r"^(?!:|```)(\S+)$", "\n".join(re.findall(r"```{toctree}.*?```", front, re.DOTALL)), re.M)
    assert listed == ["notebooks/00_start_here", "notebooks/01_next", "register", "tables", "kit"]
    assert all((folder / f"{name}.md").is_file() or (folder / f"{name}.ipynb").is_file() for name in listed)
    assert kit.startswith("# The kit\n\n## Two commands")
    assert "https://github.com/someone/some-kit/blob/main/mngnas_lib/spaces" in kit
    tables = (folder / "tables.md").read_text(encoding="utf-8")
    assert re.findall(r"^\((tab-\d\d)\)=$", tables, re.MULTILINE) == [item.id for item in ITEMS if item.is_table]
    assert (folder / "_extra" / "figures" / "tables" / "tab-16.tex").is_file()


def test_what_is_missing_is_named(whole):
    notebook_path(whole.root, whole.root / "01_next.py").unlink()
    left_out = gather(whole.root, whole.root / "build" / "source")
    assert left_out == ["01_next is not in the book: it was not built yet (make notebooks)"]
    assert "01_next" not in (whole.root / "build" / "source" / "index.md").read_text(encoding="utf-8")
    (whole.root / "figures" / "fig-03.svg").unlink()
    with pytest.raises(NotebookError, match=r"missing: figures/fig-03\.svg; run mngnas figures"):
        gather(whole.root, whole.root / "build" / "again")


def test_packages_that_are_missing_are_named(whole, monkeypatch):
    monkeypatch.setattr(build, "find_spec", lambda name: None if name in ("furo", "ziamath") else name)
    with pytest.raises(NotebookError, match=r"furo, ziamath is missing: .* pip install -e '\.\[book\]'"):
        build_book(whole.root)
    assert not (whole.root / "build").exists()


class Page(HTMLParser):
    """The elements of a page: how often each occurs, where links lead, the ids, and the text."""

    def __init__(self, path):
        super().__init__()
        self.tags, self.links, self.ids, self.text = [], [], set(), ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags.append(tag)
        self.links += [values["href"]] if tag == "a" and values.get("href") else []
        self.ids |= {values["id"]} if values.get("id") else set()

    def handle_data(self, data):
        self.text += data


@pytest.mark.slow
def test_the_book(whole, run):
    for package in ("furo", "math_core", "myst_nb", "ziamath"):
        pytest.importorskip(package, reason="the extra 'book' is not installed")
    front = whole.root / "build" / "book" / "html" / "index.html"
    assert run("book") == (0, f"The book: {front}\n")  # and no warnings
    html = front.parent
    assert outside_loads(html) == []
    assert [path.name for path in html.parent.iterdir()] == ["html"]  # nothing half-made is left

    pages = {path: Page(path) for path in html.rglob("*.html")}
    for path, page in pages.items():
        for link in page.links:
            target, _, place = link.partition("#")
            if ":" not in link:
                file = (path.parent / target).resolve() if target else path
                assert file.is_file(), f"{path.name}: {link}"
                assert not place or file not in pages or place in pages[file].ids, f"{path.name}: {link}"

    page = pages[html / "notebooks" / "00_start_here.html"]
    assert {"../index.html", "../tables.html#tab-05", "01_next.html#more-of-it"} <= set(page.links)
    assert page.tags.count("math") == 3
    assert page.tags.count("blockquote") == 1
    assert page.tags.count("details") >= 2  # the hint, and the folded bootstrap cell
    assert "$" not in page.text
    assert "one\n" in page.text
    assert "bold" in page.text and "**bold**" not in page.text
    assert "shown-fig-01" in page.ids
    assert "notebooks/00_start_here.html#shown-fig-01" in pages[html / "register.html"].links
    assert not re.search(r"mathjax|require\.js|cdn", front.read_text(encoding="utf-8"), re.IGNORECASE)
    assert "url(data:font/woff;base64," in (html / "_static" / "math.css").read_text(encoding="utf-8")
