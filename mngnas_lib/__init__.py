"""MNGNAS kit: one-shot NAS with distillation from many searched networks, to be read, run and reproduced."""

__version__ = "0.1.0"
