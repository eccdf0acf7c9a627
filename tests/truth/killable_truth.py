"""Computes the truth of ``truth_cases`` into the file that it is told, with two processes; meant to be killed."""

import sys
from pathlib import Path

from truth_cases import SETTINGS

from mngnas_lib.truth import train_truth

if __name__ == "__main__":
    train_truth(SETTINGS, Path(sys.argv[1]), jobs=2)
