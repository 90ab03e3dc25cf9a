"""What a store cannot do, learned from its first refusal and remembered by the process.

A store that ignores conditions cannot be told from one that keeps them by its answers, so nothing relies
on conditions alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from superluigi.s3.client import store_identity
from superluigi.s3.errors import error_code

__all__ = ["under_conditions"]

_NOT_KNOWN = {"501", "NotImplemented"}
_without_conditions: set[str] = set()

_Result = TypeVar("_Result")


def under_conditions(
    client: Any,
    conditions: Mapping[str, str] | None,
    write: Callable[[Mapping[str, str]], _Result],
) -> _Result:
    """Write under conditions, and without them where the store says that it knows none."""
    store = store_identity(client)
    if conditions and store not in _without_conditions:
        try:
            return write(conditions)
        except Exception as error:
            if error_code(error) not in _NOT_KNOWN:
                raise
            _without_conditions.add(store)
    return write({})
