"""The project's files agree with each other: versions, environments, addresses, commands, what README promises."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

import mngnas_lib
from mngnas_lib.notebooks import PROFILES, read_source, sources
from mngnas_lib.notebooks.address import PLACES, repository
from mngnas_lib.notebooks.rules import times

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
NOTEBOOKS = sources(ROOT)


def project_files() -> list[Path]:
    """What is committed or about to be."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("not a git checkout")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file()]


def text_of(path: Path) -> str:
    return path.read_bytes().decode("utf-8", errors="ignore")


def python_versions() -> list[tuple[int, int]]:
    found = (re.fullmatch(r"Programming Language :: Python :: 3\.(\d+)", text) for text in PROJECT["classifiers"])
    return [(3, int(match[1])) for match in found if match]


# ---------------------------------------------------------------------- versions and environments


def test_supported_pythons_are_a_range_that_begins_with_requires_python():
    versions = python_versions()
    assert versions == [(3, minor) for minor in range(versions[0][1], versions[-1][1] + 1)]
    assert PROJECT["requires-python"] == ">={}.{}".format(*versions[0])
    assert PYPROJECT["tool"]["ruff"]["target-version"] == "py{}{}".format(*versions[0])


def test_readme_names_the_supported_pythons():
    first, last = python_versions()[0], python_versions()[-1]
    ranges = set(re.findall(r"Python (3\.\d+) to (3\.\d+)", README))
    assert ranges == {("{}.{}".format(*first), "{}.{}".format(*last))}


def test_makefile_asks_for_the_oldest_supported_python():
    assert set(re.findall(r"sys\.version_info < \((\d+), (\d+)\)", MAKEFILE)) == {
        tuple(map(str, python_versions()[0])),
    }


def test_environment_has_python_pip_and_the_kit_and_nothing_else():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    first, last = python_versions()[0], python_versions()[-1]
    assert environment["name"] == PROJECT["name"]
    assert environment["dependencies"] == [
        f"python{PROJECT['requires-python']},<{last[0]}.{last[1] + 1}",
        "pip",
        {"pip": ['-e ".[notebooks]"']},
    ]
    assert PROJECT["requires-python"].endswith("{}.{}".format(*first))
    assert "notebooks" in PROJECT["optional-dependencies"]


def test_dependencies_are_ranges_not_pins():
    extras = PROJECT["optional-dependencies"].values()
    for requirement in [*PROJECT["dependencies"], *(text for extra in extras for text in extra)]:
        assert re.match(r"[a-z0-9-]+>=\d+(\.\d+)*(;|$)", requirement), requirement


def test_version_is_set_once():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert "version" in PROJECT["dynamic"]
    assert PYPROJECT["tool"]["setuptools"]["dynamic"]["version"]["attr"] == "mngnas_lib.__version__"
    assert citation["version"] == mngnas_lib.__version__
    assert citation["license"] == PROJECT["license"] == "MIT"
    assert (ROOT / PROJECT["license-files"][0]).read_text(encoding="utf-8").startswith("MIT License")


def test_readme_and_citation_cite_the_same_paper():
    paper = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["preferred-citation"]
    assert f"{{{paper['doi']}}}" in README
    assert f"{{{paper['start']}--{paper['end']}}}" in README
    assert re.sub(r"[{}]", "", README).count(paper["title"]) == 1
    assert " and ".join(f"{a['family-names']}, {a['given-names']}" for a in paper["authors"]) in README


# ---------------------------------------------------------------------- what README and CONTRIBUTING promise


@pytest.mark.parametrize("text", [README, CONTRIBUTING], ids=["README", "CONTRIBUTING"])
def test_commands_for_make_exist(text):
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    commands = set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE))
    assert commands
    assert commands <= targets
    profiles = set(re.findall(r"PROFILE=(\w+)", text)) | set(re.findall(r"--profile (\w+)", text))
    assert profiles <= set(PROFILES)


def test_makefile_declares_and_explains_its_targets():
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    phony = set(re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[1].split())
    assert targets == phony
    helped = set(re.findall(r"make ([a-z-]+)", MAKEFILE)) | set(re.findall(r"\((test-fast|distclean)\b", MAKEFILE))
    assert targets - {"help"} <= helped


def test_command_line_has_what_readme_lists():
    cli = pytest.importorskip("mngnas_lib.cli", reason="the command line is not there")
    commands = set(re.findall(r"^mngnas ([a-z]+)", README, re.MULTILINE))
    assert len(commands) >= 5
    assert commands <= set(cli.main.commands)


@pytest.mark.parametrize("text", [README, CONTRIBUTING], ids=["README", "CONTRIBUTING"])
def test_links_and_named_files_exist(text):
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link and "..." not in link]
    named = re.findall(r"`((?:mngnas_lib|tests|notebooks|figures)/[\w./-]*)`", text)
    missing = [
        name for name in {*links, *named} if "NAME" not in name and "NN" not in name and not (ROOT / name).exists()
    ]
    assert not missing


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_readme_lists_each_notebook_with_its_times(path):
    rows = [line for line in README.splitlines() if f"(notebooks/{path.stem}.ipynb)" in line and line.startswith("|")]
    assert len(rows) == 1, f"README's table of notebooks must have one row for {path.stem}"
    cells = [cell.strip() for cell in rows[0].strip("|").split("|")]
    said = times(read_source(path))
    assert cells[2:] == [said.get(profile) for profile in PROFILES]


def test_readme_lists_no_notebook_that_is_not_there():
    listed = re.findall(r"^\| \[\d\d [^\]]*\]\(notebooks/(\w+)\.ipynb\)", README, re.MULTILINE)
    assert listed == [path.stem for path in NOTEBOOKS]


# ---------------------------------------------------------------------- addresses and words


def test_address_of_the_repository_stands_only_where_it_may():
    address = repository(ROOT)
    allowed = {ROOT / "pyproject.toml", *(ROOT / name for name in PLACES)}
    elsewhere = [
        path.relative_to(ROOT).as_posix()
        for path in project_files()
        if address in text_of(path) and path not in allowed and not path.is_relative_to(ROOT / "notebooks")
    ]
    assert not elsewhere


def test_addresses_in_text_are_that_of_pyproject():
    address = repository(ROOT)
    assert PROJECT["urls"]["Repository"] == f"https://github.com/{address}"
    badges = re.findall(r"colab\.research\.google\.com/github/([\w.-]+/[\w.-]+)/blob", README)
    assert badges
    assert set(badges) == {address}, "run make address"
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["repository-code"] == PROJECT["urls"]["Repository"], "run make address"


def test_no_paths_of_one_machine_and_no_package_hosts():
    # written in pieces, so that this file does not hold what it looks for
    words = ["/" + "work/", "/" + "root/", r"/" + r"home/\w", r"/" + r"Users/\w", r"C:\\" + "Users"]
    words += [rf"{name}\.org" for name in ("py" + "pi", "python" + "hosted", "download.py" + "torch", "anaconda")]
    pattern = re.compile("|".join(words))
    found = [
        f"{path.relative_to(ROOT).as_posix()}: {match[0]}"
        for path in project_files()
        if (match := pattern.search(text_of(path)))
    ]
    assert not found


def test_ci_runs_tests_style_and_all_notebooks():
    script = ROOT / ".ci" / "run"
    lines = [line.strip() for line in script.read_text(encoding="utf-8").splitlines()]
    assert lines[0] == "#!/usr/bin/env bash"
    assert "set -euo pipefail" in lines
    wanted = ["make test", "make lint", "make reproduce PROFILE=quick", "make book"]
    assert [line for line in lines if line.startswith("make")] == wanted
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0


# ---------------------------------------------------------------------- the environment that make builds

FAKE_PYTHON = """#!/bin/sh
case "$1 $2" in
  "-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  "-m pip") shift 2; echo "pip $*" >> "{calls}"; if [ -e "{fail}" ]; then exit "$(cat "{fail}")"; fi ;;
  "-m "*) shift; echo "run $*" >> "{calls}" ;;
  "-c import sys;"*) exit {too_old} ;;
  *) exit 0 ;;
esac
"""


class Sandbox:
    """The Makefile beside a Python that only notes what is asked of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python, self.calls, self.fail = folder / "python", folder / "calls", folder / "fail"
        for name in ("Makefile", "pyproject.toml"):
            shutil.copy(ROOT / name, folder / name)
        self.write_python(too_old=0)

    def write_python(self, too_old: int) -> None:
        self.python.write_text(FAKE_PYTHON.format(calls=self.calls, fail=self.fail, too_old=too_old))
        self.python.chmod(0o755)

    def make(self, *words: str) -> subprocess.CompletedProcess:
        command = ["make", f"PYTHON={self.python}", *words]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)

    def called(self) -> list[str]:
        calls = self.calls.read_text().splitlines() if self.calls.exists() else []
        self.calls.unlink(missing_ok=True)
        return calls


@pytest.fixture
def sandbox(tmp_path) -> Sandbox:
    if shutil.which("make") is None:
        pytest.skip("make is not there")
    return Sandbox(tmp_path)


def test_make_installs_once_and_reuses(sandbox):
    assert sandbox.make("reproduce").returncode == 0
    assert sandbox.called() == [
        "pip install --quiet --disable-pip-version-check -e .[notebooks]",
        "run mngnas_lib.notebooks execute --profile quick --jobs 2",
    ]
    assert sandbox.make("reproduce", "PROFILE=laptop").returncode == 0
    assert sandbox.called() == ["run mngnas_lib.notebooks execute --profile laptop --jobs 2"]
    assert sandbox.make("test").returncode == 0
    assert sandbox.called() == [
        "pip install --quiet --disable-pip-version-check -e .[notebooks,book,dev]",
        "run pytest -n 2",
    ]


@pytest.mark.parametrize("target", ["reproduce", "book"])
def test_tests_environment_serves_the_others_too(sandbox, target):
    sandbox.make("test")
    sandbox.called()
    sandbox.make(target)
    assert [call.split()[0] for call in sandbox.called()] == ["run"]


def test_the_book_brings_what_it_needs(sandbox):
    assert sandbox.make("book").returncode == 0
    assert sandbox.called() == [
        "pip install --quiet --disable-pip-version-check -e .[notebooks,book]",
        "run mngnas_lib.notebooks book",
    ]
    sandbox.make("reproduce")
    assert [call.split()[0] for call in sandbox.called()] == ["run"]


def test_an_interrupted_installation_is_begun_anew(sandbox):
    sandbox.fail.write_text("137")  # killed
    assert sandbox.make("reproduce").returncode != 0
    leftover = sandbox.folder / ".venv" / "half-copied"
    leftover.touch()
    assert [call.split()[0] for call in sandbox.called()] == ["pip"]  # nothing was run with it
    sandbox.fail.unlink()
    assert sandbox.make("reproduce").returncode == 0
    assert [call.split()[0] for call in sandbox.called()] == ["pip", "run"]
    assert not leftover.exists()


def test_an_interrupted_upgrade_is_not_taken_as_complete(sandbox):
    sandbox.make("reproduce")
    sandbox.called()
    sandbox.fail.write_text("137")
    assert sandbox.make("test").returncode != 0
    sandbox.called()
    sandbox.fail.unlink()
    assert sandbox.make("reproduce").returncode == 0
    assert [call.split()[0] for call in sandbox.called()] == ["pip", "run"]


def test_an_upgrade_that_pip_gave_up_leaves_what_was_there(sandbox):
    sandbox.make("reproduce")
    sandbox.called()
    sandbox.fail.write_text("1")  # no network
    assert sandbox.make("test").returncode != 0
    assert [call.split()[0] for call in sandbox.called()] == ["pip"]
    assert sandbox.make("reproduce").returncode == 0
    assert [call.split()[0] for call in sandbox.called()] == ["run"]


def test_a_first_installation_that_pip_gave_up_is_tried_again(sandbox):
    sandbox.fail.write_text("1")
    assert sandbox.make("reproduce").returncode != 0
    sandbox.fail.unlink()
    sandbox.called()
    assert sandbox.make("reproduce").returncode == 0
    assert [call.split()[0] for call in sandbox.called()] == ["pip", "run"]


def test_changed_dependencies_are_installed_into_what_is_there(sandbox):
    sandbox.make("reproduce")
    kept = sandbox.folder / ".venv" / "kept"
    kept.touch()
    sandbox.called()
    subprocess.run(["touch", "-d", "2100-01-01", sandbox.folder / "pyproject.toml"], check=True)
    sandbox.make("reproduce")
    assert [call.split()[0] for call in sandbox.called()] == ["pip", "run"]
    assert kept.exists()


def test_a_python_that_vanished_is_replaced(sandbox):
    sandbox.make("reproduce")
    sandbox.called()
    (sandbox.folder / ".venv" / "bin" / "python").unlink()
    assert sandbox.make("reproduce").returncode == 0
    assert [call.split()[0] for call in sandbox.called()] == ["pip", "run"]


def test_python_too_old(sandbox):
    sandbox.write_python(too_old=1)
    result = sandbox.make("reproduce")
    assert result.returncode != 0
    assert "needs Python 3.10 or newer" in result.stderr
    assert not (sandbox.folder / ".venv").exists()


def test_python_not_found(sandbox):
    result = sandbox.make("test", "PYTHON=no-such-python")
    assert result.returncode != 0
    assert "no-such-python was not found" in result.stderr
    assert not (sandbox.folder / ".venv").exists()
