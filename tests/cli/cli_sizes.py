"""Sizes of the SuperNet that the tests of the command line train: a second's work."""

SMALL = ("--channels", 2, "--cells", 1, "--size", 8, "--count", 300, "--test-count", 50, "--valid-fraction", 0.3)
QUICK = ("--epochs", 2, "--batch-size", 64, "--device", "cpu")
