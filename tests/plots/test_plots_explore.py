"""Sliders appear where somebody is there, and nothing happens elsewhere."""

import sys
from types import SimpleNamespace

import pytest

from mngnas_lib.plots import explore

pytest.importorskip("ipywidgets")


@pytest.fixture
def shell(monkeypatch):
    """What IPython says of its shell, settable."""

    def set_shell(value):
        monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: value))

    return set_shell


def never(**values):
    raise AssertionError("nobody is there to look")


@pytest.mark.parametrize(
    "nobody",
    [None, SimpleNamespace(), SimpleNamespace(kernel=SimpleNamespace(_allow_stdin=False))],
    ids=["no shell", "a terminal", "a kernel that may not ask"],
)
def test_nothing_happens_where_nobody_is_there(shell, nobody):
    shell(nobody)
    assert explore(never, x=(0, 1, 0.5)) is False


def test_nothing_happens_without_ipython_or_without_widgets(shell, monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert explore(never, x=(0, 1, 0.5)) is False
    shell(SimpleNamespace(kernel=SimpleNamespace(_allow_stdin=True)))
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    assert explore(never, x=(0, 1, 0.5)) is False


def test_sliders_begin_where_they_should(shell, monkeypatch):
    import ipywidgets

    drawn = []
    shell(SimpleNamespace(kernel=SimpleNamespace(_allow_stdin=True)))
    monkeypatch.setattr(ipywidgets, "interact", lambda draw, **controls: drawn.append((draw, controls)))
    assert explore(never, x=(0, 1, 0.5), s=(1, 2, 2)) is True
    ((draw, controls),) = drawn
    assert draw is never and list(controls) == ["x", "s"]
    assert [(c.min, c.max, c.value) for c in controls.values()] == [(0, 1, 0.5), (1, 2, 2)]
