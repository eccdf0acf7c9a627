"""The command ``mngnas``.

Results go to standard output, progress and complaints to standard error. Exit codes: 0 all is well, 1 the work failed,
2 the user's mistake, 130 interrupted. Modules of this package import click at their top and the rest where it is
used, so that ``--help`` does not wait for PyTorch.
"""

from mngnas_lib.cli.main import main

__all__ = ["main"]
