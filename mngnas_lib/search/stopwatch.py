"""Wall time by part of a step."""

from __future__ import annotations

import time

import torch

#: On a GPU only every so many steps are timed, since timing makes Python and the GPU wait for each other.
_STEPS_BETWEEN_TIMINGS = 25


class Stopwatch:
    """Adds up the seconds between laps under the name of the part that a lap ends.

    On a GPU, some of the steps are timed, and :meth:`seconds` scales them up to all.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.every = 1 if device.type == "cpu" else _STEPS_BETWEEN_TIMINGS
        self.parts: dict[str, float] = {}
        self.steps = self.timed = 0
        self._is_on, self._last = False, 0.0

    def begin(self, step: int) -> None:
        """Start a step."""
        self.steps += 1
        self._is_on = step % self.every == 0
        self.timed += self._is_on
        if self._is_on:
            self._last = self._now()

    def lap(self, part: str) -> None:
        """End a part."""
        if self._is_on:
            now = self._now()
            self.parts[part] = self.parts.get(part, 0.0) + now - self._last
            self._last = now

    def seconds(self) -> dict[str, float]:
        """Seconds by part, of all steps."""
        scale = self.steps / max(1, self.timed)
        return {part: value * scale for part, value in self.parts.items()}

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()
