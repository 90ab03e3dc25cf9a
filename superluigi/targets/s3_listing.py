"""Listing a prefix so that the same pages show whether its sidecar stands beside it."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING

from superluigi.errors import AccessDenied
from superluigi.s3.bulk import just_before
from superluigi.s3.objects import ObjectStat

if TYPE_CHECKING:
    from superluigi.targets.s3_prefix import S3PrefixTarget

__all__ = ["list_with_sidecar"]

_MOST_STRANGERS = 500
"""So many keys between the sidecar's and the prefix (those of `events-old/` beside `events/`, say) are read
past; then two listings are cheaper."""


def list_with_sidecar(
    target: S3PrefixTarget, beside: MutableMapping[str, ObjectStat | None]
) -> Iterator[ObjectStat]:
    """The objects below a prefix; what the pages show of sidecar and announcement enters `beside`."""
    own = (target.metadata_object_key, target.next_key)
    is_together = target.metadata_bucket == target.bucket
    stem = target.prefix.removesuffix("/")
    if is_together and own[0].startswith(target.prefix):
        beside.update(dict.fromkeys(own))
    elif is_together and own[0].startswith(stem):
        try:
            yield from _list_from_sidecar(target, stem, beside)
        except (AccessDenied, _TooManyStrangers):
            beside.clear()  # a policy may allow listing below the prefix only
        else:
            return
    for stat in target.store.list_objects(target.bucket, target.prefix):
        if stat.key in beside:
            beside[stat.key] = stat
        yield stat


class _TooManyStrangers(Exception):
    """Too much lies between the sidecar and the prefix."""


def _list_from_sidecar(
    target: S3PrefixTarget, stem: str, beside: MutableMapping[str, ObjectStat | None]
) -> Iterator[ObjectStat]:
    beside.update(dict.fromkeys((target.metadata_object_key, target.next_key)))
    start = just_before(target.metadata_object_key)
    strangers = 0
    for stat in target.store.list_objects(target.bucket, stem, start_after=start):
        if stat.key.startswith(target.prefix):
            yield stat
        elif stat.key > target.prefix:
            return
        elif stat.key in beside:
            beside[stat.key] = stat
        else:
            strangers += 1
            if strangers > _MOST_STRANGERS:
                raise _TooManyStrangers
