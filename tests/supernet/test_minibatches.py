import pytest
import torch

from mngnas_lib.data import Augment
from mngnas_lib.errors import DataError
from mngnas_lib.supernet import MiniBatches


def test_an_epoch_shows_each_image_once_in_an_order_of_its_own(digits):
    batches = MiniBatches(digits, 40, seed=3)
    assert batches.steps_per_epoch == 6
    place = {image.numpy().tobytes(): index for index, image in enumerate(digits.normalise(digits.train.images))}
    orders = []
    for epoch in range(2):
        seen = torch.cat([batches.at(epoch * 6 + step)[0] for step in range(6)])
        orders.append([place[image.numpy().tobytes()] for image in seen])
        assert sorted(orders[-1]) == list(range(len(digits.train)))
    assert orders[0] != orders[1]


def test_a_step_is_a_function_of_its_number(digits):
    batches = MiniBatches(digits, 40, seed=3, augment=Augment(pad=2, cutout=3))
    first = batches.at(8)
    for step in (0, 13, 7):
        batches.at(step)
    again = MiniBatches(digits, 40, seed=3, augment=Augment(pad=2, cutout=3)).at(8)
    for other in (batches.at(8), again):
        assert torch.equal(first[0], other[0]) and torch.equal(first[1], other[1])
    assert not torch.equal(first[0], MiniBatches(digits, 40, seed=4, augment=Augment(pad=2, cutout=3)).at(8)[0])


def test_ranks_share_a_mini_batch_out(digits):
    whole = MiniBatches(digits, 40, seed=0).at(5)
    shards = [MiniBatches(digits, 40, seed=0, rank=rank, world_size=2).at(5) for rank in range(2)]
    for part in range(2):
        assert torch.equal(torch.stack([shards[0][part], shards[1][part]], 1).flatten(0, 1), whole[part])


def test_too_few_images_for_a_batch(digits):
    with pytest.raises(DataError, match="fewer than a batch of 241"):
        MiniBatches(digits, 241, seed=0)
