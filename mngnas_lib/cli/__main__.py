"""``python -m mngnas_lib.cli`` is ``mngnas``."""

from mngnas_lib.cli import main

main(prog_name="mngnas")
