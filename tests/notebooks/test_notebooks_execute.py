"""Executing and building: real kernels, on notebooks of a few lines."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from mngnas_lib.notebooks import check_project, execute, sources


def outputs(path):
    notebook = nbformat.read(path, as_version=4)
    return [output.get("text", "").strip() for cell in notebook.cells for output in cell.get("outputs", [])]


@pytest.fixture(scope="module")
def outcomes(new_project):
    """What came of three notebooks that ran at once, under a profile that this process does not have."""
    project = new_project()
    project.add(
        "00_where",
        "import os, sys\nprint(os.environ['MNGNAS_PROFILE'])\nprint(os.getcwd())\nprint(sys.executable)",
        "import mngnas_lib\nfrom tqdm import tqdm\n_ = list(tqdm(range(3)))",
    )
    path = project.add("01_meant")
    path.write_text(path.read_text() + '\n# %% tags=["raises-exception"]\nint("x")\n\n# %%\nprint("on")\n')
    project.add("02_dies", "import os\nos._exit(9)")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MNGNAS_PROFILE", "paper")
        found = execute(sources(project.root), project.root, "quick", jobs=3)
        assert os.environ["MNGNAS_PROFILE"] == "paper"
    return project.root, found


def test_where_and_with_what_a_notebook_runs(outcomes):
    root, (outcome, *_) = outcomes
    assert outcome.problem is None
    assert outcome.notebook.cells[2].outputs[0].text.split() == ["quick", str(root), sys.executable]
    assert outcome.notebook.cells[3].outputs == []  # no progress bar
    assert "execution" not in outcome.notebook.cells[2].metadata


def test_an_error_that_is_meant_is_shown(outcomes):
    outcome = outcomes[1][1]
    assert outcome.problem is None
    assert outcome.notebook.cells[-2].outputs[0].ename == "ValueError"
    assert outcome.notebook.cells[-1].outputs[0].text == "on\n"


def test_a_dead_kernel_is_named(outcomes):
    outcome = outcomes[1][2]
    assert "02_dies, cell 3" in outcome.problem
    assert "the kernel died" in outcome.problem


def test_a_failing_notebook_is_named_and_the_others_run(project, run):
    project.add("00_good", "print('good')")
    failing = project.add("01_bad", "values = [1, 2]", "total = 0\nvalues[5]", "print('never')")
    project.add("02_slow", "import time\ntime.sleep(60)")
    out = project.root / "build" / "notebooks" / "quick"
    out.mkdir(parents=True)
    (out / "01_bad.ipynb").write_text("from an earlier run")
    code, printed = run("execute", "--jobs", "3", "--timeout", "3")
    assert code == 1
    line = failing.read_text().splitlines().index("total = 0")  # the line before it starts the cell
    assert f"01_bad, cell 4 (01_bad.py, line {line}): IndexError: list index out of range" in printed
    assert "----> 2 values[5]" in printed
    assert "02_slow, cell 3" in printed
    assert "ran for more than 3 s" in printed
    assert "2 of 3 notebooks failed" in printed
    assert sorted(path.name for path in out.iterdir()) == [
        "00_good.ipynb",
        "01_bad.failed.ipynb",
        "02_slow.failed.ipynb",
    ]
    assert outputs(out / "00_good.ipynb") == ["good"]


def test_build_check_and_build_again(project, run):
    source = project.add("00_a", "print(1 + 1)", "object()")
    target = project.root / "notebooks" / "00_a.ipynb"
    assert "was not built yet" in check_project(project.root)[0]
    assert run("build")[0] == 0
    assert outputs(target)[0] == "2"
    assert check_project(project.root) == []
    code, printed = run("check")
    assert (code, printed.strip()) == (0, "1 notebooks are as they should be.")
    before = target.read_bytes()
    assert run("build")[0] == 0
    assert target.read_bytes() == before

    project.add("00_a", "print(1 + 2)", "object()")
    code, printed = run("check")
    assert code == 1
    assert "does not say what its source says" in printed

    project.add("00_a", "raise ValueError('no')")
    assert run("build")[0] == 1
    assert target.read_bytes() == before  # a failed build leaves what was there
    assert source.exists()


def test_too_large_a_notebook_is_refused(project, run):
    project.add("00_large", "print('x' * 500_000)")
    code, printed = run("build")
    assert code == 1
    assert "at most 400 kB" in printed
    assert "cell 3: 500 kB" in printed
    assert not (project.root / "notebooks" / "00_large.ipynb").exists()


def test_unknown_profile_and_name(project, run):
    from click import UsageError

    project.add("00_a")
    with pytest.raises(UsageError, match="huge"):
        run("execute", "--profile", "huge")
    assert run("execute", "07")[0] == 1


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self").exists(), reason="asks /proc which processes live")
def test_ctrl_c_stops_the_kernels(project):
    """The process leaves at once, and no kernel outlives it."""
    project.add("00_long", "import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(600)")
    project.add("01_never", "open('never', 'w')")
    command = [sys.executable, "-m", "mngnas_lib.notebooks", "execute", "--root", str(project.root)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    pid = project.root / "pid"
    wait(lambda: pid.exists() and pid.read_text())
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode != 0
    wait(lambda: not Path("/proc", pid.read_text()).exists())
    assert not (project.root / "never").exists()


def wait(condition, seconds=30):
    """Until the condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
