"""Looking at many objects: in listings, which also show whether the sidecars stand beside them."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from superluigi.s3.bulk import LIST_FROM, find_by_listing
from superluigi.s3.client import POOL_CONNECTIONS, ClientSpec
from superluigi.s3.objects import ObjectStat
from superluigi.s3.parallel import in_threads
from superluigi.targets.s3 import claimed_run_id
from superluigi.targets.state import Observation

if TYPE_CHECKING:
    from superluigi.targets.s3_object import S3ObjectTarget

__all__ = ["etag_in", "observation_of", "observe_objects"]


def observe_objects(targets: Sequence[S3ObjectTarget]) -> list[Observation]:
    """Pages of listings where many are in one bucket, else one listing or HEAD each; in their order."""
    seen: dict[int, Observation] = {}
    few: list[S3ObjectTarget] = []
    for group in _by_bucket(targets):
        if len(group) >= LIST_FROM:
            seen |= _observe_by_listing(group)
        else:
            few += group
    seen |= _in_threads(_observe_by_own_listing, few)
    seen |= _in_threads(_observe_alone, [each for each in targets if id(each) not in seen])
    return [seen[id(target)] for target in targets]


def observation_of(found: ObjectStat | None, observed_ns: int) -> Observation:
    """What a look found.

    Only a look at the object alone shows its user metadata, and so what it holds and who wrote it.
    """
    if found is None:
        return Observation(exists=False, observed_ns=observed_ns)
    token = f"etag:{found.etag}:{found.size_bytes}"
    claimed = f"sha256:{found.sha256}" if found.sha256 else token
    return Observation(
        exists=True,
        token=token,
        size_bytes=found.size_bytes,
        etag=found.etag,
        version_id=found.version_id,
        observed_ns=observed_ns,
        fingerprint=None if found.metadata is None else claimed,
        run_id=claimed_run_id(found),
    )


def etag_in(token: str) -> str:
    """The ETag in an observation's token; "" for the token of nothing.

    Example:
        >>> etag_in("etag:9b2c-3:17"), etag_in("")
        ('9b2c-3', '')
    """
    return token.partition(":")[2].rpartition(":")[0]


def _by_bucket(targets: Sequence[S3ObjectTarget]) -> list[list[S3ObjectTarget]]:
    groups: dict[tuple[ClientSpec, str], list[S3ObjectTarget]] = defaultdict(list)
    for target in targets:
        groups[target.spec, target.bucket].append(target)
    return list(groups.values())


def _observe_by_listing(group: Sequence[S3ObjectTarget]) -> dict[int, Observation]:
    """What listings show of targets of one bucket; an error leaves all to be looked at alone."""
    observed_ns, bucket = time.time_ns(), group[0].bucket
    beside = [
        key
        for target in group
        if target.metadata_bucket == bucket
        for key in (target.metadata_object_key, target.next_key)
    ]
    try:
        known = find_by_listing(
            group[0].store, bucket, [target.object_key for target in group], also=beside
        )
    except Exception:
        return {}
    seen = {}
    for target in group:
        if target.object_key in known:
            seen[id(target)] = observation_of(known[target.object_key], observed_ns)
            if target.metadata_bucket == bucket:
                target.remember_shown(known)
    return seen


def _in_threads(
    look: Callable[[S3ObjectTarget], Observation | None], targets: Sequence[S3ObjectTarget]
) -> dict[int, Observation]:
    """What was seen; those left out were not to be seen so."""
    looks = in_threads(look, targets, threads=POOL_CONNECTIONS)
    return {
        id(target): seen for target, seen in zip(targets, looks, strict=True) if seen is not None
    }


def _observe_by_own_listing(target: S3ObjectTarget) -> Observation | None:
    """As many requests as a HEAD, and it shows the sidecar too; None where listing is no way."""
    return _observe_by_listing([target]).get(id(target))


def _observe_alone(target: S3ObjectTarget) -> Observation:
    try:
        seen = target.observe()
        if not seen.exists:
            # Asked here, where it is asked for many at once.
            announced = target.store.head(target.metadata_bucket, target.next_key)
            target.remember_shown({target.next_key: announced})
    except Exception as error:
        return Observation(exists=False, error=f"{error}")
    return seen
