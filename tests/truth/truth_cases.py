"""A truth that takes a second: small digits, small networks."""

from mngnas_lib.lab import DataSpec, SpaceSpec
from mngnas_lib.supernet import TrainConfig
from mngnas_lib.truth import TruthSettings

SETTINGS = TruthSettings(
    space=SpaceSpec("nasbench-macro", (("channels", 4), ("head_channels", 16))),
    data=DataSpec("digits", size=8, count=200, test_count=60, valid_fraction=0.3),
    train=TrainConfig(epochs=3, batch_size=20, warmup_epochs=0.5),
    count=3,
    seeds=2,
    repeated=1,
)
