"""Mini-batches: each image once, in the asked-for order."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mngnas_lib.data import Part, batches
from mngnas_lib.errors import ConfigError, DataError


def part(count: int) -> Part:
    """Images that carry their number."""
    numbers = torch.arange(count)
    return Part(numbers.to(torch.uint8).view(-1, 1, 1, 1).expand(-1, 2, 3, 3).contiguous(), numbers)


@given(st.integers(0, 40), st.integers(1, 45), st.booleans(), st.booleans())
def test_each_image_once(count: int, size: int, shuffle: bool, drop_last: bool):
    generator = torch.Generator().manual_seed(1) if shuffle else None
    if drop_last and count < size:
        with pytest.raises(DataError, match=f"{count} images are fewer than a batch of {size}: use a smaller batch"):
            batches(part(count), size, generator=generator, drop_last=True)
        return
    made = list(batches(part(count), size, generator=generator, drop_last=drop_last))
    for images, labels in made:
        assert images.shape == (len(labels), 2, 3, 3) and images.dtype == torch.uint8
        assert torch.equal(images[:, 0, 0, 0].long(), labels)
    lengths = [len(labels) for _, labels in made]
    rest = [] if drop_last or count % size == 0 else [count % size]
    assert lengths == [size] * (count // size) + rest
    seen = [int(label) for _, labels in made for label in labels]
    assert len(set(seen)) == sum(lengths)
    if not shuffle:
        assert seen == list(range(sum(lengths)))


def test_order_is_the_generators():
    def order(seed: int) -> list[int]:
        drawn = batches(part(50), 20, generator=torch.Generator().manual_seed(seed))
        return torch.cat([labels for _, labels in drawn]).tolist()

    assert order(1) == order(1) != order(2)
    assert order(1) == torch.randperm(50, generator=torch.Generator().manual_seed(1)).tolist()


def test_left_out_images_change_from_pass_to_pass():
    generator = torch.Generator().manual_seed(0)
    passes = [
        {int(label) for _, labels in batches(part(10), 4, generator=generator, drop_last=True) for label in labels}
        for _ in range(20)
    ]
    assert set.union(*passes) == set(range(10)) and len({frozenset(one) for one in passes}) > 5


def test_errors_come_with_the_call():
    with pytest.raises(ConfigError, match="not 0"):
        batches(part(3), 0)
