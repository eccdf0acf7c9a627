"""Errors that a user can cause, and what each asks of them.

Every message says what was wrong and what to do about it. The command line prints a :class:`KitError`
as one line and leaves with its ``exit_code``; anything else is a defect of the kit and shows a traceback.
"""


class KitError(Exception):
    """Base of all errors that are the input's fault, not the kit's."""

    exit_code = 2


class ArchError(KitError, ValueError):
    """An architecture that does not belong to its search space."""


class ConfigError(KitError, ValueError):
    """Settings that contradict each other, or a name that is not known."""


class DataError(KitError):
    """Image data that is missing, damaged or too small."""


class BenchmarkError(KitError):
    """A benchmark file that is missing, damaged, of another kind, or that lacks what was asked for."""


class CheckpointError(KitError):
    """A stored state that is damaged or belongs to another run."""


class TrainingDivergedError(KitError):
    """A loss that is not finite; carries where it happened."""

    exit_code = 1


class PaperDataError(KitError):
    """The paper's transcribed numbers: missing, damaged, or a table that the paper does not have."""
