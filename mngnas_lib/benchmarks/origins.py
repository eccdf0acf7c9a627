"""Where the official benchmark files come from: projects, licences, published checksums."""

from __future__ import annotations

from dataclasses import dataclass, field

from mngnas_lib.benchmarks.files import OFFICIAL_101, OFFICIAL_201, OFFICIAL_MACRO
from mngnas_lib.benchmarks.nasbench101 import PUBLISHED


@dataclass(frozen=True)
class Origin:
    """Of one benchmark's official data.

    Attributes:
        project: owner and name of the GitHub project that describes the files.
        licence: SPDX identifier of the licence in that project.
        kind: what :func:`mngnas_lib.benchmarks.recognise` calls the official files.
        files: their names, and the SHA-256 that the project publishes; None where it publishes none.
        converted: whether the kit reads a table made of them instead.
    """

    project: str
    licence: str
    kind: str
    converted: bool
    files: dict[str, str | None] = field(default_factory=dict)


ORIGINS = {
    "nasbench101": Origin("google-research/nasbench", "Apache-2.0", OFFICIAL_101, True, dict(PUBLISHED)),
    "nasbench201": Origin(
        "D-X-Y/NAS-Bench-201",
        "MIT",
        OFFICIAL_201,
        True,
        {"NAS-Bench-201-v1_1-096897.pth": None, "NAS-Bench-201-v1_0-e61699.pth": None},
    ),
    "nasbench-macro": Origin(
        "xiusu/NAS-Bench-Macro", "Apache-2.0", OFFICIAL_MACRO, False, {"nas-bench-macro_cifar10.json": None}
    ),
}
