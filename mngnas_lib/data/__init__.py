"""Image data: sources, splits, resolution, and batches on the device.

>>> data = load_images("digits", size=16, count=1000)
>>> data.input_shape, data.num_classes, len(data.train), len(data.valid), len(data.test)
((1, 16, 16), 10, 900, 100, 1000)
"""

from mngnas_lib.data.arrays import from_arrays
from mngnas_lib.data.augment import Augment
from mngnas_lib.data.batches import batches
from mngnas_lib.data.describe import describe
from mngnas_lib.data.images import ImageData, Part
from mngnas_lib.data.resize import resize_area
from mngnas_lib.data.sources import SOURCES, cache_folder, image_root, load_images

__all__ = [
    "SOURCES",
    "Augment",
    "ImageData",
    "Part",
    "batches",
    "cache_folder",
    "describe",
    "from_arrays",
    "image_root",
    "load_images",
    "resize_area",
]
