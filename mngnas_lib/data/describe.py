"""The facts about loaded images, as plain data for the command line, notebooks and result files."""

from __future__ import annotations

from typing import Any

import torch

from mngnas_lib.data.images import ImageData


def describe(data: ImageData) -> dict[str, Any]:
    """Name, shape, classes, images by part and class, statistics, fingerprint, size in memory, and cache file.

    Only strings, numbers, lists, dictionaries and None: it can be written as JSON.
    """
    parts = {}
    for name, part in data.parts.items():
        counts = torch.bincount(part.labels, minlength=data.num_classes).tolist()
        parts[name] = {"images": len(part), "classes": dict(zip(data.class_names, counts, strict=True))}
    return {
        "name": data.name,
        "input_shape": list(data.input_shape),
        "num_classes": data.num_classes,
        "parts": parts,
        "mean": data.mean.tolist(),
        "std": data.std.tolist(),
        "fingerprint": data.fingerprint,
        "bytes": sum(part.images.nbytes + part.labels.nbytes for part in data.parts.values()),
        "cache": None if data.cache is None else str(data.cache),
    }
