"""REINFORCE against torch: its gradient, and whole searches."""

import numpy as np
import pytest
import torch
from torch.distributions import Categorical

from mngnas_lib.benchmarks import Scores
from mngnas_lib.errors import ConfigError
from mngnas_lib.search.tabular_landscape import Landscape
from mngnas_lib.search.tabular_policy import ReinforceConfig, policy_gradient, reinforce, softmax

SIZES = (2, 4, 3)


def toy(archs=None) -> Landscape:
    choices = np.array(list(np.ndindex(*SIZES)) if archs is None else archs)
    reward = np.random.default_rng(3).random(len(choices))
    return Landscape(choices, SIZES, reward, {"toy": Scores(reward, None)})


def test_the_gradient_is_that_of_autograd():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(5, 3, 4))
    taken, advantage = rng.integers(4, size=(5, 3)), rng.normal(size=5)
    parameters = torch.tensor(logits, requires_grad=True)
    log_p = Categorical(logits=parameters).log_prob(torch.tensor(taken))
    (-log_p * torch.tensor(advantage)[:, None]).sum().backward()
    np.testing.assert_allclose(policy_gradient(softmax(logits), taken, advantage), parameters.grad, atol=1e-12)


def by_torch(landscape, start, rows, config):
    """Probabilities with which the last of the given queries was drawn: a policy a slot, torch's Adam and autograd."""
    slots = [torch.tensor(config.init * start[i, :size], requires_grad=True) for i, size in enumerate(SIZES)]
    adam = torch.optim.Adam(slots, lr=config.lr)
    seen = []
    for row in rows:
        policies = [Categorical(logits=slot) for slot in slots]
        seen.append(landscape.reward[row])
        weights = config.momentum ** np.arange(len(seen))[::-1]
        advantage = seen[-1] - np.average(seen, weights=weights)  # what the corrected running mean comes to
        choices = torch.tensor(landscape.choices[row])
        adam.zero_grad()
        log_p = sum(policy.log_prob(choice) for policy, choice in zip(policies, choices, strict=True))
        (-log_p * advantage).backward()
        adam.step()
    return [torch.softmax(slot.detach(), 0).numpy() for slot in slots]


@pytest.mark.parametrize("archs", [None, [(0, 0, 0), (1, 3, 2), (0, 2, 1), (1, 1, 0), (0, 3, 2)]])
def test_a_search_draws_from_the_policy_that_torch_learns(archs):
    """Replay: what torch's policy has learned from the queries so far decides the next one."""
    landscape, config = toy(archs), ReinforceConfig(lr=0.1)
    rng = np.random.default_rng(1)
    start, luck = rng.normal(size=(2, 3, 4)), rng.random((2, 30, 4))
    queried = reinforce(landscape, start, luck, config)
    for search in range(2):
        for query in range(0, 30, 7):
            probabilities = by_torch(landscape, start[search], queried[search, :query], config)
            drawn = [
                int(np.searchsorted(p.cumsum(), u)) for p, u in zip(probabilities, luck[search, query], strict=False)
            ]
            distance = (landscape.choices != drawn).sum(axis=1)
            assert distance[queried[search, query]] == distance.min()


def test_the_policy_learns_from_the_notation_that_it_drew():
    """Choice 2 is another notation of the row that is written as choice 0."""
    zeros = Scores(np.zeros(2), None)
    landscape = Landscape(
        np.array([[0], [1]]), (3,), np.array([0.0, 1.0]), {"toy": zeros}, look_up=lambda arch: (0, 1, 0)[arch[0]]
    )
    # drawn are 1 and the bad 2, so that the third query, at 0.6, finds choice 1 there and 2 near the end; had choice 0
    # been blamed, it would find 2 there
    luck = np.array([[[0.5, 0], [0.99, 0], [0.6, 0]]])
    assert reinforce(landscape, np.zeros((1, 1, 3)), luck, ReinforceConfig(lr=1.0)).tolist() == [[1, 0, 1]]


def test_percent_and_fractions_lead_the_same_way():
    landscape = toy()
    percent = Landscape(landscape.choices, SIZES, 100 * landscape.reward, landscape.truth)
    rng = np.random.default_rng(1)
    start, luck = rng.normal(size=(4, 3, 4)), rng.random((4, 60, 4))
    np.testing.assert_array_equal(*(reinforce(table, start, luck, ReinforceConfig()) for table in (landscape, percent)))


def test_choices_that_a_slot_lacks_have_no_probability():
    np.testing.assert_allclose(softmax(np.array([0.0, np.log(3), -np.inf])), [0.25, 0.75, 0.0])


@pytest.mark.parametrize("wrong", [{"lr": 0}, {"momentum": 1.0}, {"momentum": -0.1}, {"init": -1}])
def test_settings_out_of_range(wrong):
    with pytest.raises(ConfigError, match="REINFORCE needs lr > 0"):
        ReinforceConfig(**wrong)
