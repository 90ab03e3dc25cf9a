"""Which graph a program is asked to build on its command line, and what each task of it does."""

import argparse
import time
from pathlib import Path

import shapes

NAP_S = 0.01
"""How long a leaf of `naps` takes."""


def write(path, name):
    """The whole work of a task."""
    if ASKED.shape == "naps" and name != "root":
        time.sleep(NAP_S)
    Path(path).write_text(name)


def _arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("shape", choices=shapes.SHAPES)
    parser.add_argument("size", type=int)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--setting", default="default")
    return parser.parse_args()


ASKED = _arguments()
