"""Help, exit codes, and what becomes of errors."""

import itertools
import subprocess
import sys
import time

import click
import pytest

import mngnas_lib
from mngnas_lib.cli import main, options
from mngnas_lib.cli.rank import rank as rank_command
from mngnas_lib.cli.train import train as train_command
from mngnas_lib.errors import ConfigError, TrainingDivergedError


def commands(group: click.Group = main, before: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    """Every command with its words, the group itself first."""
    found = [(before, group)]
    for name, command in group.commands.items():
        words = (*before, name)
        found += commands(command, words) if isinstance(command, click.Group) else [(words, command)]
    return found


@pytest.mark.parametrize("words", [words for words, _ in commands()], ids=" ".join)
def test_every_command_has_help(mngnas, words):
    long = mngnas(*words, "--help").stdout
    assert long.startswith(f"Usage: {' '.join(('mngnas', *words))} ")
    assert mngnas(*words, "-h").stdout == long


def test_every_command_that_takes_arguments_gives_an_example():
    for words, command in commands():
        if not isinstance(command, click.Group) and words not in {("doctor",), ("data", "list")}:
            assert f"mngnas {' '.join(words)} " in command.help, words


def test_no_two_options_of_a_command_have_one_name():
    for words, command in commands():
        names = [name for param in command.params for name in (*param.opts, *param.secondary_opts)]
        assert len(names) == len(set(names)), words


def test_commands_come_in_the_order_of_their_use(mngnas):
    assert list(main.commands) == [
        *("doctor", "train", "rank", "search", "truth", "baselines", "data", "benchmark"),
        *("status", "figures", "run"),
    ]
    text = mngnas("--help").stdout
    places = [text.index(f"\n  {name} ") for name in main.commands]
    assert places == sorted(places)


def test_version(mngnas):
    assert mngnas("--version").stdout == f"mngnas, version {mngnas_lib.__version__}\n"


def test_help_does_not_wait_for_torch():
    code = (
        "import sys, click\n"
        "from mngnas_lib.cli import main\n"
        "for words in ([], ['train'], ['rank'], ['search'], ['benchmark', 'query']):\n"
        "    main([*words, '--help'], standalone_mode=False)\n"
        "heavy = {'torch', 'numpy', 'pandas', 'scipy', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert time.perf_counter() - started < 5  # a tenth of this, on a machine that is not busy


@pytest.mark.parametrize(("words", "code"), [(["--version"], 0), (["fly"], 2), (["train"], 2)])
def test_exit_codes_of_a_real_process(words, code):
    done = subprocess.run([sys.executable, "-m", "mngnas_lib.cli", *words], capture_output=True, text=True)
    assert done.returncode == code
    assert (done.stdout == "") == (code == 2)
    assert (done.stderr == "") == (code == 0) and "Traceback" not in done.stderr


def test_the_names_that_are_offered_are_those_of_the_library():
    from mngnas_lib.benchmarks import LOADERS
    from mngnas_lib.data import load_images
    from mngnas_lib.spaces import SPACES
    from mngnas_lib.supernet import BN_MODES, STRATEGIES
    from mngnas_lib.supernet.config import PRECISIONS

    train, rank = (sys.modules[f"mngnas_lib.cli.{name}"] for name in ("train", "rank"))
    assert set(options.SPACES) == set(SPACES)
    assert set(options.BENCHMARKS) == set(LOADERS)
    assert set(train.STRATEGIES) == set(STRATEGIES)
    assert set(train.PRECISIONS) == set(PRECISIONS)
    assert set(rank.BN_MODES) == set(BN_MODES)
    assert set(options.IMAGE_SETTINGS) <= set(load_images.__code__.co_varnames)


def test_the_settings_of_a_training_are_all_there_with_the_library_s_defaults():
    from dataclasses import fields

    from mngnas_lib.data import Augment
    from mngnas_lib.supernet import TrainConfig

    offered = {param.name: param.default for param in train_command.params}
    library = TrainConfig()
    for field in fields(TrainConfig):
        if field.name != "augment":
            assert offered[field.name] == getattr(library, field.name), field.name
    for field in fields(Augment):
        assert offered[field.name] == getattr(library.augment, field.name), field.name


def test_the_defaults_of_a_ranking_are_the_library_s():
    from inspect import signature

    from mngnas_lib.supernet import rank

    offered = {param.name: param.default for param in rank_command.params}
    for name, parameter in signature(rank).parameters.items():
        if name in offered and name not in ("archs",):
            assert offered[name] == parameter.default, name


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), None),
        (("fly",), "No such command 'fly'"),
        (("train",), "Missing option '--out'"),
        (("train", "--out", "x", "--epochs", "0"), "0 is not in the range"),
        (("train", "--out", "x", "--space", "darts"), "'darts' is not one of"),
        (
            ("train", "--out", "x", "--space", "nasbench-macro", "--stages", "2,x"),
            "not a list of positive whole numbers",
        ),
        (("rank",), "Missing option '--checkpoint'"),
        (("rank", "--checkpoint", "x", "--benchmark", "other=3"), "no benchmark is called 'other'"),
        (("rank", "--checkpoint", "x", "--benchmark", "nasbench201="), "has no path after the equals sign"),
    ],
)
def test_mistakes_in_words_are_named(mngnas, words, message):
    result = mngnas(*words, code=2)
    assert message is None or message in result.stderr
    assert message is None or result.stdout == ""


@pytest.fixture
def failing(monkeypatch):
    """Make ``mngnas benchmark info`` fail in some way."""

    def fail_with(error: BaseException) -> None:
        def fail() -> None:
            raise error

        monkeypatch.setattr("mngnas_lib.benchmarks.find_benchmarks", fail)

    return fail_with


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ConfigError("two\nlines"), 2, "mngnas: two lines\n"),
        (TrainingDivergedError("the loss is nan"), 1, "mngnas: the loss is nan\n"),
        (PermissionError(13, "Permission denied", "/x"), 2, "mngnas: /x: Permission denied\n"),
        (KeyboardInterrupt(), 130, "mngnas: interrupted\n"),
    ],
)
def test_errors_are_told_in_one_line(mngnas, failing, error, code, line):
    failing(error)
    result = mngnas("benchmark", "info", code=code)
    assert (result.stdout, result.stderr) == ("", line)


@pytest.mark.parametrize("error", [ConfigError("x"), PermissionError(13, "no", "/x")])
def test_debug_shows_where_an_error_arose(mngnas, failing, error):
    failing(error)
    with pytest.raises(type(error)):
        mngnas("--debug", "benchmark", "info")


@pytest.mark.parametrize("error", [RuntimeError("x"), OSError("without a file")])
def test_defects_of_the_kit_are_not_hidden(mngnas, failing, error):
    failing(error)
    with pytest.raises(type(error)):
        mngnas("benchmark", "info")


def test_warnings_are_one_line_without_code(mngnas, monkeypatch):
    import warnings

    monkeypatch.setattr("mngnas_lib.benchmarks.find_benchmarks", lambda: warnings.warn("look\nout", stacklevel=1) or [])
    assert mngnas("benchmark", "info").stderr == "mngnas: warning: look out\n"


def test_widths_of_tables():
    from mngnas_lib.cli.show import table

    lines = table([["a", "b"], ["longer", "1"], ["c", "200"]]).splitlines()
    assert lines == ["a         b", "longer    1", "c       200"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.31, "0.3 s"), (9.96, "10 s"), (119, "119 s"), (120, "2.0 min"), (7200, "2.0 h"), (172_800, "2.0 days")],
)
def test_durations(seconds, text):
    from mngnas_lib.cli.show import duration

    assert duration(seconds) == text


def test_durations_grow():
    from mngnas_lib.cli.show import duration

    size = {"s": 1, "min": 60, "h": 3600, "days": 86400}
    read = [float(n) * size[unit] for n, unit in (duration(1.3**k).split() for k in range(60))]
    assert all(a <= b for a, b in itertools.pairwise(read))


def test_other_numbers():
    from mngnas_lib.cli.show import count, interval, memory, percent, wrapped

    assert [count(n) for n in (999, 73306, 1_120_000, 3e9)] == ["999", "73.3 k", "1.12 M", "3 G"]
    assert [memory(n) for n in (2**20, 3 * 2**29)] == ["1 MiB", "1.5 GiB"]
    assert [percent(x) for x in (0.5, None, float("nan"))] == ["50.00 %", "-", "-"]
    assert interval(0.12345, -0.1, 0.2) == "0.123 [-0.100, 0.200]"
    assert wrapped("one two three\nfour", 8) == "one two\n  three\nfour"
