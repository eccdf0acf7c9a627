"""A project of its own for each test of the notebooks' machinery, and cells to put into it."""

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("nbclient", reason="the extra 'notebooks' is not installed")

HEADER = """# %% [markdown]
# # {number} · A test
#
# [![Open in Colab](badge.svg)](https://colab.research.google.com/github/{address}/blob/main/notebooks/{name}.ipynb)
#
# **After this notebook you can** test.
#
# **Of the paper:** nothing.
#
# **Time:** quick 1 s · laptop 2 s · paper not measured (2 CPU cores)

# %% tags=["bootstrap"]
kit = "https://github.com/{address}"
"""
ADDRESS = "someone/some-kit"


class Project:
    """A folder with a pyproject.toml and notebooks."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "notebooks" / "src").mkdir(parents=True)
        (root / "pyproject.toml").write_text(f'[project.urls]\nRepository = "https://github.com/{ADDRESS}"\n')

    def add(self, name: str, *cells: str) -> Path:
        """A source with a header that keeps to the rules, and the given cells (code, or markdown with '# ')."""
        path = self.root / "notebooks" / "src" / f"{name}.py"
        text = HEADER.format(number=name[:2], name=name, address=ADDRESS)
        path.write_text("\n".join([text, *(f"# %%\n{cell}\n" for cell in cells)]), encoding="utf-8")
        return path


@pytest.fixture(scope="session")
def new_project(tmp_path_factory) -> Callable[[], Project]:
    return lambda: Project(tmp_path_factory.mktemp("project"))


@pytest.fixture
def project(new_project) -> Project:
    return new_project()


@pytest.fixture
def run(project, capsys) -> Callable[..., tuple[int, str]]:
    """``python -m mngnas_lib.notebooks`` on the project, in this process: exit code, and all that was printed."""
    from mngnas_lib.errors import KitError
    from mngnas_lib.notebooks.__main__ import main

    def call(*words: str) -> tuple[int, str]:
        try:
            main([*words, "--root", str(project.root)], standalone_mode=False)
            code, problem = 0, ""
        except KitError as error:
            code, problem = error.exit_code, str(error)
        printed = capsys.readouterr()
        return code, printed.out + printed.err + problem

    return call
