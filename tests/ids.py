"""Names of parametrised tests that are the same in every process: workers of one run compare them."""

from __future__ import annotations

import re

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def stable_id(value: object) -> str:
    """A value's `repr` without memory addresses."""
    return _ADDRESS.sub("", repr(value))
