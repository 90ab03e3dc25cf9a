"""Working without the network: no request is made, and what is not here is an error that says so."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager

from superluigi.project import current_project
from superluigi.settings import load_settings

__all__ = ["OFFLINE_VARIABLE", "is_offline", "working_offline"]

OFFLINE_VARIABLE = "SUPERLUIGI_OFFLINE"
"""1: no request to a store is made; 0: also where the settings say otherwise."""


def is_offline() -> bool:
    """Whether no request may be made: by the environment, else by the project's settings."""
    said = os.environ.get(OFFLINE_VARIABLE)
    if said:
        return said != "0"
    return _is_offline_in(os.getcwd())  # noqa: PTH109


@functools.lru_cache(maxsize=16)
def _is_offline_in(directory: str) -> bool:
    """What the settings say; asked before every request, so they are read once for a directory."""
    return load_settings(current_project().root).offline


@contextmanager
def working_offline(is_wanted: bool) -> Iterator[None]:
    """Make no request while inside, in this process and in those that it starts; True only adds to it."""
    before = os.environ.get(OFFLINE_VARIABLE)
    if is_wanted:
        os.environ[OFFLINE_VARIABLE] = "1"
    try:
        yield
    finally:
        if is_wanted:
            os.environ.pop(OFFLINE_VARIABLE)
            if before is not None:
                os.environ[OFFLINE_VARIABLE] = before
