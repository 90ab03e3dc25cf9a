"""`resume=True`: going on with the last build of the same tasks that did not come to its end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import luigi

from superluigi.hashing import hash_of
from superluigi.planning.force import Force
from superluigi_catalog import Catalog
from superluigi_catalog.owner import is_alive
from superluigi_catalog.results import Build

__all__ = ["resumed_force"]

_LOOKS_BACK = 1_000
"""Builds, newest first, among which the last one of the same tasks is looked for."""


def resumed_force(force: Force, roots: Iterable[luigi.Task], catalog: Catalog) -> Force:
    """What is still to be forced: what the unfinished build was to force, or what is asked for now.

    Only forcing has to be carried over: everything else that was finished is up to date by itself.
    """
    catalog.mark_interrupted(is_alive)
    unfinished = _last_build(set(map(hash_of, roots)), catalog)
    if unfinished is None or unfinished.status not in ("interrupted", "failed"):
        return force
    carried = frozenset() if force else frozenset(unfinished.arguments.get("forced", ()))
    return replace(force, resumed_build=unfinished.build_id, carried=carried)


def _last_build(roots: set[str], catalog: Catalog) -> Build | None:
    return next(
        (build for build in catalog.builds(limit=_LOOKS_BACK) if set(build.roots) == roots), None
    )
