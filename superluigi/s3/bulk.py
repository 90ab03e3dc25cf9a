"""Looking at many objects with few requests: a page of a listing shows a thousand."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable
from itertools import islice
from os.path import commonprefix

from superluigi.errors import AccessDenied
from superluigi.s3.objects import ObjectStat
from superluigi.s3.protocol import Store
from superluigi.s3.uri import MAX_KEY_BYTES

__all__ = ["LIST_FROM", "find_by_listing", "just_before"]

LIST_FROM = 8
"""So many objects of one bucket are worth a listing: a page costs as much as about ten looks."""

_PAGE_ROWS = 1000
_WORTHWHILE_ROWS = 10
_POOR_PAGES = 3


def find_by_listing(
    store: Store, bucket: str, wanted: Collection[str], *, also: Iterable[str] = ()
) -> dict[str, ObjectStat | None]:
    """What listings show of the keys; those left out have to be looked at one by one.

    Each page begins at the next wanted key, so that what lies between two of them costs no page of its
    own. It ends early where pages show few of the wanted keys, or where listing is not allowed.

    Args:
        also: Keys that are taken along where a page happens to show whether they exist.

    Raises:
        BucketMissing: there is no such bucket.
    """
    keys, everything = sorted(set(wanted)), sorted({*wanted, *also})
    prefix = commonprefix(keys)  # noqa: RUF071 - by character is what a listing's prefix is
    known: dict[str, ObjectStat | None] = {}
    position = poor_pages = 0
    while position < len(keys) and poor_pages < _POOR_PAGES:
        first = keys[position]
        rows = store.list_objects(bucket, prefix, start_after=just_before(first))
        try:
            page = {stat.key: stat for stat in islice(rows, _PAGE_ROWS)}
        except AccessDenied:
            break
        end = next(reversed(page)) if len(page) == _PAGE_ROWS else None
        seen = everything[bisect_left(everything, first) : _count_to(everything, end)]
        known |= {key: page.get(key) for key in seen if key.startswith(prefix)}
        shown = _count_to(keys, end) - position
        poor_pages += shown < _WORTHWHILE_ROWS
        position += shown
    return known


def _count_to(keys: list[str], end: str | None) -> int:
    """How many of the sorted keys are not beyond `end`."""
    return len(keys) if end is None else bisect_right(keys, end)


def just_before(key: str) -> str:
    """A key below `key` with hardly anything in between."""
    head, last = key[:-1], ord(key[-1])
    if last == 0:
        return head
    below = last - 1 if last != 0xE000 else 0xD7FF  # what lies between are no characters
    fill = "\U0010fffd" if len(key.encode()) + 4 <= MAX_KEY_BYTES else ""
    return head + chr(below) + fill
