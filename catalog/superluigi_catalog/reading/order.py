"""The order in which things are listed."""

from __future__ import annotations

from functools import lru_cache

__all__ = ["place_key"]


# Many tasks use the same few places.
@lru_cache(maxsize=4096)
def place_key(place: str) -> tuple[tuple[int, int, str], ...]:
    """Sort places as people count, `"2"` before `"10"`, and the single one first.

    Example:
        >>> sorted(["10", "2", "a.1", "", "a"], key=place_key)
        ['', '2', '10', 'a', 'a.1']
    """
    if not place:
        return ()
    return tuple(
        (0, int(step), "") if step.isdecimal() and len(step) < 19 else (1, 0, step)
        for step in place.split(".")
    )
