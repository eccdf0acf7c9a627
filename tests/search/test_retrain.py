"""The shared-forward engine against Algorithm 1 as printed, and what must hold of any retraining."""

from __future__ import annotations

import io
import itertools
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from retrain_cases import (
    QUICK,
    SPLIT,
    TAUGHT,
    batches_of,
    equal,
    guidance_of,
    labels_alone,
    literal_step,
    retraining,
    students_of,
    teachers_of,
)

from mngnas_lib.distill.losses import DistillLoss
from mngnas_lib.errors import ConfigError, TrainingDivergedError
from mngnas_lib.search.retrain import Guidance, Retraining, labels_only
from mngnas_lib.search.retrain_config import RetrainConfig
from mngnas_lib.search.stopwatch import Stopwatch
from mngnas_lib.spaces import SearchSpace
from mngnas_lib.supernet import MiniBatches


@pytest.fixture(params=["cells", "chain"])
def space(request: pytest.FixtureRequest) -> SearchSpace:
    return request.getfixturevalue(request.param)


def plain_sgd(network, config):
    settings = {"momentum": config.momentum, "nesterov": config.nesterov, "weight_decay": config.weight_decay}
    return torch.optim.SGD(network.parameters(), lr=config.lr, **settings)


# ---------------------------------------------------------------------- the method


def check_coefficients(guidance, alpha, beta, expected, *, atol=1e-4):
    """α (S, T) and β (S, S) against those of each student's own members."""
    for i, (of_teachers, of_peers) in enumerate(expected):
        others = [j for j in range(len(beta)) if j != i and guidance.peers]
        torch.testing.assert_close(alpha[i, guidance.taught[i]], torch.tensor(of_teachers), rtol=0, atol=atol)
        torch.testing.assert_close(beta[i, others], torch.tensor(of_peers), rtol=0, atol=atol)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"weights": "uniform"},
        {"combined": "last stage"},
        {"combined": "stages"},
        {"scale": 2.0},
        {"peers": False},
        {"taught": TAUGHT[:, :0]},
        {"loss": DistillLoss(temperature=2.0, features="kl")},
        {"loss": DistillLoss(features="none"), "channels_last": False},
    ],
    ids=lambda changes: "-".join(changes) or "as printed",
)
def test_a_step_is_that_of_algorithm_1(space, digits, changes):
    run = retraining(space, digits, **changes)
    students = students_of(space)
    optimizers = [plain_sgd(student, run.config) for student in students]
    run.train_step()
    losses, coefficients = literal_step(students, run.guidance, [run.batches.at(0)], run.config, optimizers)
    torch.testing.assert_close(run.losses[0], losses, rtol=1e-4, atol=1e-5)
    check_coefficients(run.guidance, *run.mean_coefficients(), coefficients)
    for student, expected in zip(run.students, students, strict=True):
        for name, value in expected.state_dict().items():
            torch.testing.assert_close(student.state_dict()[name], value, rtol=1e-3, atol=1e-5)


def test_the_next_steps_too(cells, digits):
    """Coefficients are those of each step's own outputs; momentum and learning rate are those of each student."""
    run = retraining(cells, digits)
    students = students_of(cells)
    optimizers = [plain_sgd(student, run.config) for student in students]
    sums = None
    for step in range(run.total):
        run.train_step()
        for optimizer in optimizers:
            optimizer.param_groups[0]["lr"] = 0.02 * (1 + math.cos(math.pi * step / 3)) / 2
        losses, found = literal_step(students, run.guidance, [run.batches.at(step)], run.config, optimizers)
        torch.testing.assert_close(run.losses[step], losses, rtol=1e-2, atol=1e-3)
        sums = found if sums is None else [(a + c, b + d) for (a, b), (c, d) in zip(sums, found, strict=True)]
    check_coefficients(run.guidance, *run.mean_coefficients(), [(a / 3, b / 3) for a, b in sums], atol=0.02)
    for student, expected in zip(run.students, students, strict=True):
        for name, value in expected.state_dict().items():
            torch.testing.assert_close(student.state_dict()[name], value, rtol=1e-2, atol=2e-3)


def test_labels_alone_train_each_student_as_if_it_were_alone(space, digits):
    run = labels_alone(space, digits)
    run.run()
    for student, network in zip(run.students, students_of(space), strict=True):
        optimizer = plain_sgd(network, QUICK)
        network.train()
        for step in range(run.total):
            optimizer.param_groups[0]["lr"] = QUICK.lr_at(step, run.total)
            images, labels = run.batches.at(step)
            optimizer.zero_grad()
            F.cross_entropy(network(images).logits, labels).backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), QUICK.clip_norm)
            optimizer.step()
        for name, value in network.state_dict().items():
            torch.testing.assert_close(student.state_dict()[name], value, rtol=1e-3, atol=1e-4)
    assert not torch.stack(run.losses)[:, :, 1:].any()


def test_who_learns_from_nobody_learns_from_labels(space, digits):
    nobody = retraining(space, digits, peers=False)  # the third student has no teachers
    alone = labels_alone(space, digits)
    nobody.run()
    alone.run()
    assert equal(nobody.students[2], alone.students[2])
    assert not equal(nobody.students[1], alone.students[1])


def test_it_learns(cells, digits):
    run = retraining(cells, digits, epochs=5, batch_size=20, lr=0.1, clip_norm=5.0, weight_decay=0.0)
    run.run()
    first, *_, last = run.curve(4)["labels"]
    assert last < first - 0.1


# ---------------------------------------------------------------------- who teaches whom


def test_the_mask_is_kept(space, digits):
    run = retraining(space, digits)
    run.run()
    alpha, beta = run.mean_coefficients()
    assert not alpha[~TAUGHT].any() and not beta.diagonal().any()
    assert (alpha >= 0).all() and (beta >= 0).all()
    torch.testing.assert_close(alpha.sum(1), torch.tensor([1.0, 1.0, 0.0, 1.0]).double(), rtol=0, atol=1e-12)
    torch.testing.assert_close(beta.sum(1), torch.ones(4).double(), rtol=0, atol=1e-12)
    losses = torch.stack(run.losses)
    assert not losses[:, 2, 1].any() and (losses[:, [0, 1, 3], 1] > 0).all() and (losses[:, :, 2] > 0).all()


def test_uniform_weights_are_one_over_the_number(cells, digits):
    run = retraining(cells, digits, weights="uniform")
    run.run(until=2)
    alpha, beta = run.mean_coefficients()
    torch.testing.assert_close(alpha, TAUGHT.double() / torch.tensor([2, 2, 1, 3])[:, None])
    torch.testing.assert_close(beta, (1 - torch.eye(4).double()) / 3)
    assert run.certificate.tolist() == [0, 0]


@pytest.mark.parametrize("memory", ["graphs", "recompute"])
def test_teachers_do_not_move(cells, digits, memory):
    run = retraining(cells, digits, memory=memory)
    run.run()
    for teacher, before in zip(run.guidance.teachers, teachers_of(cells, digits), strict=True):
        assert equal(teacher, before)
        assert all(parameter.grad is None for parameter in teacher.parameters())


def test_no_students_gradient_depends_on_another_students(cells, digits):
    run, other = (retraining(cells, digits) for _ in range(2))
    for parameter in other.students[1].parameters():
        parameter.register_hook(lambda gradient: -3 * gradient)
    run.train_step()
    other.train_step()
    assert [equal(*pair) for pair in zip(run.students, other.students, strict=True)] == [True, False, True, True]


@pytest.mark.parametrize("peers", [False, True])
def test_a_lone_student(cells, digits, peers):
    run = retraining(cells, digits, taught=torch.ones(1, 2, dtype=torch.bool), peers=peers)
    run.run()
    alpha, beta = run.mean_coefficients()
    assert alpha.sum() == pytest.approx(1) and beta.tolist() == [[0.0]]
    assert not torch.stack(run.losses)[:, :, 2].any()


NOTHING, THROUGH = (0,) * 6, (1,) * 6  # cells that pass nothing on, and cells of identities


@pytest.mark.parametrize(
    ("features", "combined", "memory"),
    [
        ("mse", "logits", "graphs"),
        ("mse", "stages", "recompute"),
        ("kl", "logits", "recompute"),
        ("kl", "stages", "graphs"),
    ],
)
def test_cells_through_which_nothing_passes(cells, digits, features, combined, memory):
    config = replace(QUICK, loss=DistillLoss(features=features), combined=combined, memory=memory)
    students = [cells.network(arch, in_channels=1, seed=0) for arch in (NOTHING, NOTHING, THROUGH)]
    teachers = tuple(cells.network(arch, in_channels=1, seed=1) for arch in (NOTHING, THROUGH))
    assert not students[0](digits.normalise(digits.train.images[:2])).stages[0].any()
    guidance = Guidance(teachers, torch.ones(3, 2, dtype=torch.bool), peers=True, weights="adaptive")
    run = Retraining(students, batches_of(digits, config), config, guidance)
    run.run()
    assert torch.stack(run.losses).isfinite().all() and run.certificate[0] < 1e-8
    assert all(tensor.isfinite().all() for student in students for tensor in student.state_dict().values())


# ---------------------------------------------------------------------- what is recorded


def test_the_certificate_is_that_of_the_solver(space, digits):
    run = retraining(space, digits)
    run.run()
    gap, residual = run.certificate.tolist()
    assert 0 <= gap < 1e-8 and 0 <= residual < 1e-8


def test_students_without_members_do_not_spoil_the_certificate(cells, digits):
    run = retraining(cells, digits, peers=False)
    run.run(until=1)
    assert run.certificate.isfinite().all() and run.certificate[0] < 1e-8


def test_the_curve_by_hand(cells, digits):
    run = labels_alone(cells, digits)
    assert run.curve() == {"step": [], "labels": [], "teachers": [], "peers": []}
    run.losses = [torch.tensor([[step, 10.0, 0.0], [step + 2, 30.0, 1.0]]) for step in (0.0, 1.0, 2.0, 3.0, 10.0)]
    curve = run.curve(2)
    assert curve == {"step": [3, 5], "labels": [2.0, 7.5], "teachers": [20.0, 20.0], "peers": [0.5, 0.5]}
    assert run.curve(9)["step"] == [1, 2, 3, 4, 5] and run.curve(9)["labels"] == [1.0, 2.0, 3.0, 4.0, 11.0]


def test_seconds_of_all_parts(cells, digits):
    run = retraining(cells, digits)
    run.run(until=2)
    parts = {"data", "forward", "teachers", "losses", "coefficients", "backward", "update"}
    assert run.watch.seconds().keys() == parts and all(value > 0 for value in run.watch.seconds().values())


def test_seconds_of_the_timed_steps_stand_for_all(monkeypatch):
    """On a GPU every 25th step is timed."""
    clock = itertools.count()
    monkeypatch.setattr(Stopwatch, "_now", lambda watch: float(next(clock)))
    watch = Stopwatch(torch.device("cuda"))
    for step in range(30, 90):  # of which 50 and 75 are timed
        watch.begin(step)
        watch.lap("forward")
        watch.lap("backward")
        watch.lap("forward")
    assert watch.seconds() == {"forward": 2 * 60.0, "backward": 60.0}
    assert next(clock) == 8


def test_the_learning_rate_falls_as_a_cosine(cells, digits):
    rates = []
    run = labels_alone(cells, digits, epochs=1, lr=0.1)
    run.run(on_step=lambda: rates.append(run.optimizer.param_groups[0]["lr"]))
    expected = [0.1, 0.1 * (0.5 + math.sqrt(3) / 4), 0.075, 0.05, 0.025, 0.1 * (0.5 - math.sqrt(3) / 4)]
    assert rates == pytest.approx(expected)


def test_no_step_is_done_twice_or_too_many(cells, digits):
    run = labels_alone(cells, digits)
    run.run(until=2)
    assert run.step == 2
    run.run(until=99)
    run.run()
    assert run.step == run.total == len(run.losses) == 3
    assert RetrainConfig(epochs=0.01).steps(20) == 1 and RetrainConfig(epochs=0.5).steps(9) == 4


# ---------------------------------------------------------------------- other ways to compute


@pytest.mark.parametrize(
    "changes",
    [{}, {"loss": DistillLoss(features="none")}, {"precision": "bf16-mixed"}],
    ids=lambda c: "-".join(c) or "full",
)
def test_recomputed_graphs_give_the_same(space, digits, changes):
    held, again = (retraining(space, digits, memory=memory, **changes) for memory in ("graphs", "recompute"))
    held.run()
    again.run()
    assert torch.equal(torch.stack(held.losses), torch.stack(again.losses))
    assert all(equal(*pair) for pair in zip(held.students, again.students, strict=True))
    counts = {int(v) for s in again.students for name, v in s.state_dict().items() if name.endswith("batches_tracked")}
    assert counts <= {0, held.total}  # 0: behind an edge that is not used


def test_mixed_precision_stays_near_full_precision(cells, digits):
    full, mixed = (retraining(cells, digits, precision=precision) for precision in ("32-true", "bf16-mixed"))
    full.run()
    mixed.run()
    assert torch.stack(mixed.losses).isfinite().all()
    torch.testing.assert_close(mixed.losses[0], full.losses[0], rtol=0.1, atol=0.02)
    assert not torch.equal(mixed.losses[0], full.losses[0])
    assert all(parameter.dtype == torch.float32 for student in mixed.students for parameter in student.parameters())


def test_the_same_seed_gives_the_same_bits(cells, digits):
    first, second, other = (retraining(cells, digits, seed=seed) for seed in (0, 0, 1))
    for run in (first, second, other):
        run.run(until=2)
    assert all(equal(*pair) for pair in zip(first.students, second.students, strict=True))
    assert not any(equal(*pair) for pair in zip(first.students, other.students, strict=True))


# ---------------------------------------------------------------------- stopping and going on


@pytest.mark.parametrize(
    ("name", "memory", "stop"),
    [
        ("cells", "graphs", 0),
        ("cells", "graphs", 1),
        ("cells", "recompute", 2),
        ("chain", "graphs", 2),
        ("chain", "graphs", 3),
    ],
)
def test_a_stopped_retraining_goes_on_bit_identically(request, digits, name, memory, stop):
    space = request.getfixturevalue(name)
    whole, begun, resumed = (retraining(space, digits, memory=memory) for _ in range(3))
    whole.run()
    begun.run(until=stop)
    stored = io.BytesIO()
    torch.save(begun.state_dict(), stored)
    stored.seek(0)
    resumed.load_state_dict(torch.load(stored, weights_only=True))
    assert resumed.step == stop
    resumed.run()
    assert all(equal(*pair) for pair in zip(whole.students, resumed.students, strict=True))
    assert whole.curve() == resumed.curve() and len(resumed.losses) == whole.total
    for one, other in zip(whole.mean_coefficients(), resumed.mean_coefficients(), strict=True):
        assert torch.equal(one, other)
    assert torch.equal(whole.certificate, resumed.certificate)


# ---------------------------------------------------------------------- what can go wrong


def test_a_loss_that_is_not_finite_names_step_and_architecture(space, digits, monkeypatch):
    run = retraining(space, digits)
    original = MiniBatches.at

    def poisoned(batches, step):
        if step == 2:
            with torch.no_grad():
                run.students[1].classifier.weight[0, 0] = math.nan
        return original(batches, step)

    monkeypatch.setattr(MiniBatches, "at", poisoned)
    with pytest.raises(TrainingDivergedError) as caught:
        run.run()
    name = space.to_string(run.students[1].arch)
    for part in (f"the loss of student 1, {name}, by labels is nan in step 2", "lower the learning rate"):
        assert part in str(caught.value)


@pytest.mark.parametrize("weights", ["uniform", "adaptive"])
def test_a_learning_rate_that_is_far_too_large_is_named(cells, digits, weights):
    run = retraining(cells, digits, weights=weights, lr=1e30, clip_norm=0.0)
    with pytest.raises(TrainingDivergedError, match=r"of student \d, .*, by labels .* in step [12] of its retraining"):
        run.run()


def test_the_first_cause_is_named_where_losses_are_read_late(cells, digits):
    run = labels_alone(cells, digits)
    good, bad = torch.zeros(4, 3), torch.zeros(4, 3)
    bad[0, 2] = bad[2, 0] = math.inf  # the first student learns from the third
    run.losses, run.unchecked = [good, good, bad, bad], 3
    with pytest.raises(TrainingDivergedError, match=r"of student 2, .*, by labels is inf in step 2"):
        run.state_dict()


def test_teachers_that_diverged_are_refused(cells, digits):
    teachers = teachers_of(cells, digits, 2)
    teachers[1].last_norm.running_var[0] = math.inf
    with pytest.raises(ConfigError, match=r"weights of teacher 1, \|.*\|, are not finite"):
        Guidance(teachers, torch.ones(2, 2, dtype=torch.bool), peers=True, weights="adaptive")


def test_guidance_that_does_not_fit_is_refused(cells, digits):
    students, teachers, batches = students_of(cells), teachers_of(cells, digits), batches_of(digits, QUICK)
    with pytest.raises(ConfigError, match="no students"):
        Retraining([], batches, QUICK)
    with pytest.raises(ConfigError, match="3 rows: give one for each of 4 students"):
        Retraining(students, batches, QUICK, labels_only(3))
    with pytest.raises(ConfigError, match=r"shape \(4, 2\).*each of 3 teachers"):
        Guidance(teachers, TAUGHT[:, :2], peers=True, weights="uniform")
    with pytest.raises(ConfigError, match=r"type torch.float32.*give torch.bool"):
        Guidance(teachers, TAUGHT.float(), peers=True, weights="uniform")
    with pytest.raises(ConfigError, match="'equal' is not known: choose one of uniform, adaptive"):
        Guidance(teachers, TAUGHT, peers=True, weights="equal")
    with pytest.raises(ConfigError, match="twice among students and teachers"):
        Retraining([*students[:3], teachers[0]], batches, QUICK, Guidance(teachers, TAUGHT, True, "uniform"))


def test_mini_batches_of_another_number_of_processes_are_refused(cells, digits):
    with pytest.raises(ConfigError, match="split over 2 processes, the work over 1"):
        Retraining(students_of(cells), batches_of(digits, QUICK, rank=0, world_size=2), QUICK)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"epochs": 0}, "positive number of epochs"),
        ({"epochs": math.nan}, "positive number of epochs"),
        ({"batch_size": 0}, "at least one image"),
        ({"lr": 0.0}, "learning rate must be positive"),
        ({"lr": math.nan}, "learning rate must be positive"),
        ({"momentum": 1.0}, "momentum"),
        ({"weight_decay": -1e-4}, "weight decay"),
        ({"clip_norm": math.nan}, "gradient norm"),
        ({"scale": -1.0}, "factor in Eq. 20"),
        ({"combined": "features"}, "'logits', 'last stage', 'stages'"),
        ({"memory": "disk"}, "'graphs', 'recompute'"),
        ({"precision": "16-mixed"}, "'32-true', 'bf16-mixed'"),
        ({"seed": -1}, "seed"),
    ],
)
def test_bad_settings_are_named(setting, message):
    with pytest.raises(ConfigError, match=message):
        RetrainConfig(**setting)


# ---------------------------------------------------------------------- several processes

DISTRIBUTED = """
import sys, torch
torch.set_num_threads(1)
from lightning_fabric import Fabric
from mngnas_lib.data import load_images
from mngnas_lib.search.retrain import Retraining
from mngnas_lib.spaces import get_space
from retrain_cases import SPLIT, TAUGHT, batches_of, guidance_of, students_of
fabric = Fabric(accelerator="cpu", devices=2, strategy="ddp")
fabric.launch()
data = load_images("digits", size=8, count=300, test_count=100, valid_fraction=0.2)
space = get_space("nasbench201", channels=4, cells=1)
batches = batches_of(data, SPLIT, rank=fabric.global_rank, world_size=2)
run = Retraining(students_of(space), batches, SPLIT, guidance_of(space, data), fabric=fabric)
run.run(until=1)
torch.save(run.state_dict(), f"{sys.argv[1]}/rank{fabric.global_rank}.pt")
"""


@pytest.mark.slow
def test_two_processes_solve_the_problem_of_the_whole_batch(cells, digits, tmp_path):
    script = tmp_path / "distributed.py"
    script.write_text(DISTRIBUTED)
    path = os.pathsep.join(map(str, (Path(__file__).parents[2], Path(__file__).parent)))
    command = [sys.executable, script, tmp_path]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": path}, capture_output=True, timeout=300)
    first, second = (torch.load(tmp_path / f"rank{rank}.pt", weights_only=True) for rank in (0, 1))
    students, guidance = students_of(cells), guidance_of(cells, digits)
    parameters = [dict(student.named_parameters()) for student in students]
    for names, one, other in zip(parameters, first["students"], second["students"], strict=True):
        assert all(torch.equal(one[name], other[name]) for name in names)
    for name in ("losses", "alpha", "beta", "certificate"):
        assert torch.equal(first[name], second[name])
    # by hand: each half of the batch normalises by itself, coefficients are those of both
    optimizers = [plain_sgd(student, SPLIT) for student in students]
    halves = [batches_of(digits, SPLIT, rank=rank, world_size=2).at(0) for rank in (0, 1)]
    losses, coefficients = literal_step(students, guidance, halves, SPLIT, optimizers)
    torch.testing.assert_close(first["losses"][0], losses, rtol=1e-4, atol=1e-5)
    check_coefficients(guidance, first["alpha"][:, 4:], first["beta"][:, :4], coefficients)
    for names, moved in zip(parameters, first["students"], strict=True):
        for name, value in names.items():
            torch.testing.assert_close(moved[name], value.detach(), rtol=1e-3, atol=1e-5)
