"""What the catalog is told of a build itself: who started it, where, with which arguments."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import luigi

from superluigi.environment import host_and_user, own_version
from superluigi.hashing import hash_of, private_texts
from superluigi.planning.planner import Planning
from superluigi.running.build import RunOptions
from superluigi.task_runner.session import DecisionArguments, Session
from superluigi_catalog.owner import this_owner
from superluigi_catalog.records import BuildEntry

__all__ = ["BuildRecord", "root_label"]

_FORCE_ARGUMENTS = (
    "force",
    "force_upstream",
    "force_upstream_to_task",
    "force_upstream_to_task_cls",
    "force_readers_of",
)


@dataclass(frozen=True)
class BuildRecord:
    """One build's record; made before it is planned, and again when its graph is known."""

    build_id: str
    started_at: str
    directory: str
    session: Session
    arguments: DecisionArguments
    options: RunOptions

    def before_planning(self) -> BuildEntry:
        """Without its roots' hashes, and without the command line: both need the graph."""
        planner = self.session.planner
        host, user = host_and_user()
        return BuildEntry(
            build_id=self.build_id,
            started_at=self.started_at,
            roots=(),
            host=host,
            user=user,
            cwd=str(Path.cwd()),
            argv=(),
            arguments={
                "num_workers": self.options.num_workers,
                "rerun_on": sorted(planner.rerun_on),
                "verify": planner.verify,
            },
            versions={"superluigi": own_version(), "luigi": luigi.__version__},
            directory=self.directory,
            owner=this_owner(),
        )

    def planned(self, planning: Planning) -> BuildEntry:
        """All of it."""
        entry = self.before_planning()
        arguments = dict(entry.arguments)
        if planning.forced:
            arguments["forced"] = sorted(planning.forced)
        for name in _FORCE_ARGUMENTS:
            if value := getattr(self.arguments, name):
                arguments[name] = _argument_text(value)
        return replace(
            entry,
            arguments=arguments,
            roots=tuple(hash_of(task) for task in self.session.roots),
            argv=_without_private(sys.argv, (task.task for task in planning.tasks)),
        )


def root_label(task: luigi.Task) -> str:
    """Family and short hash: Luigi's own text of a plain task shows PRIVATE values."""
    return f"{task.get_task_family()} {hash_of(task)[:8]}"


def _argument_text(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    items = value if isinstance(value, (list, tuple, set)) else [value]
    return [_item_text(item) for item in items]


def _item_text(item: Any) -> str:
    if isinstance(item, luigi.Task):
        return root_label(item)
    return item.__name__ if isinstance(item, type) else str(item)


def _without_private(argv: list[str], tasks: Iterable[luigi.Task]) -> tuple[str, ...]:
    """The command line without values of PRIVATE parameters."""
    secrets = private_texts(tasks)
    return tuple(
        "***" if any(secret in argument for secret in secrets) else argument for argument in argv
    )
