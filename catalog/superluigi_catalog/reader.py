"""Everybody's side of the catalog: what is recorded of tasks, runs, builds and targets."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from superluigi_catalog import reading
from superluigi_catalog.moments import Moment, utc_moment
from superluigi_catalog.results import (
    RUN_STATUSES,
    Build,
    Run,
    Target,
    Task,
    checked_statuses,
)
from superluigi_catalog.tracer import Tracer

if TYPE_CHECKING:
    from superluigi_catalog.explanation import Why
    from superluigi_catalog.stats import Stats

__all__ = ["Reader"]


class Reader(Tracer):
    """Answers questions about tasks, runs, builds and targets; every call sees one consistent state."""

    def task(self, ref: Any) -> Task:
        """Look up one task.

        Raises:
            TaskNotFound: nothing answers to the ref; the message suggests what does.
            AmbiguousHash: several tasks do.
        """
        with self._reading() as session:
            number = self._refs(session).task(ref)
            return reading.tasks_by_id(session, [number])[number]

    def status(self, ref: Any) -> str:
        """Say what the records know of a task's state; nothing is looked at.

        Returns:
            One of `STATUSES`.

        Raises:
            TaskNotFound: nothing answers to the ref.
            AmbiguousHash: several tasks do.
        """
        return self.task(ref).status

    def tasks(
        self,
        family: str | None = None,
        params: Mapping[str, Any] | None = None,
        status: str | Collection[str] | None = None,
        search: str | None = None,
        since: Moment | None = None,
        limit: int | None = None,
        after: Any = None,
    ) -> tuple[Task, ...]:
        """List the tasks for which all of these hold.

        Args:
            family: Its name.
            params: By name: a value, compared as text; or a pair (lowest, highest), both included, None
                for an open end, of numbers or of dates: `{"depth": (3, None), "date": ("2026-01", None)}`.
            status: One of `STATUSES`, or several.
            search: Words of the family and of values of parameters, or their beginnings; or the
                beginning of a task hash.
            since: The last run began then or later: a `datetime`, a date, a `timedelta` back from now; as
                text `2026-01-05`, `2026-01-05T08:30` (UTC), `36h`, `7d`.
            limit: How many at most.
            after: The last one of the page before: a ref.

        Returns:
            Those recorded last first; not those that are only known as somebody's input.

        Raises:
            ValueError: there is no such status; `since` is no moment; a range of neither numbers nor dates.
            TaskNotFound, AmbiguousHash: for `after`.
        """
        with self._reading() as session:
            wanted = reading.TaskFilter(session)
            if family is not None:
                wanted.family(family)
            if params:
                wanted.params(params)
            if status is not None:
                wanted.status(status)
            if search is not None:
                wanted.search(search)
            if since is not None:
                wanted.since(since)
            if after is not None:
                wanted.after(self._refs(session).task(after))
            return reading.tasks_matching(session, wanted, limit)

    def run(self, run_id: str) -> Run:
        """Look up one run, with its code and environment.

        Raises:
            TaskNotFound: there is none.
        """
        with self._reading() as session:
            found = reading.run_by_uuid(session, run_id)
            return found if found is not None else self._refs(session).no_such("run", run_id)

    def why(self, ref: Any) -> Why:
        """Explain why a task is not fresh, or why a run was made, by the records alone.

        What the code and the targets are now is not looked at: `superluigi why`, and a plan, do that.

        Args:
            ref: A task, or the id of a run.

        Raises:
            TaskNotFound, AmbiguousHash: for the ref.
        """
        with self._reading() as session:
            is_id = isinstance(ref, str) and "-" in ref and "/" not in ref
            run = reading.run_by_uuid(session, ref) if is_id else None
            if run is not None:
                return reading.why_run(session, run)
            return reading.why_task(session, self._refs(session).task(ref))

    def code_sources(self, fingerprints: Collection[str]) -> dict[str, str]:
        """Look up the source texts of parts of code.

        Returns:
            By fingerprint; without those that no run here had.
        """
        with self._reading() as session:
            return reading.sources_of(session, fingerprints)

    def runs(
        self,
        ref: Any = None,
        *,
        build: str | None = None,
        status: str | Collection[str] | None = None,
        since: Moment | None = None,
        limit: int | None = 100,
        after: str | None = None,
    ) -> tuple[Run, ...]:
        """List runs, newest first.

        Args:
            ref: Of this task; None: of all.
            build: Only of the build with this id, or the one that begins so.
            status: One of `RUN_STATUSES`, or several. What is recorded as running by a process that is gone
                counts as `interrupted`.
            since: Begun then or later; as for `tasks`.
            limit: How many at most; None: all.
            after: The id of the last one of the page before.

        Raises:
            TaskNotFound: nothing answers to the ref, or there is no such build or run.
            AmbiguousHash: several tasks answer to the ref, or several builds begin so.
            ValueError: there is no such status; `since` is no moment.
        """
        with self._reading() as session:
            refs = self._refs(session)
            return reading.runs_matching(
                session,
                task=None if ref is None else refs.task(ref),
                build=None if build is None else refs.build(build),
                statuses=checked_statuses(status, RUN_STATUSES),
                since=None if since is None else utc_moment(since),
                after=None if after is None else refs.run(after),
                limit=limit,
            )

    def build(self, build_id: str) -> Build:
        """Look up one build.

        Args:
            build_id: Its id, or at least eight characters of its beginning.

        Raises:
            TaskNotFound: there is none.
            AmbiguousHash: several begin so.
        """
        with self._reading() as session:
            found = reading.builds_by_id(session, [self._refs(session).build(build_id)])
            return found[0]

    def builds(
        self, *, since: Moment | None = None, limit: int | None = 100, after: str | None = None
    ) -> tuple[Build, ...]:
        """List builds, newest first.

        Args:
            since: Begun then or later; as for `tasks`.
            limit: How many at most; None: all.
            after: The id of the last one of the page before.

        Raises:
            TaskNotFound: there is no build with the id `after`.
            ValueError: `since` is no moment.
        """
        with self._reading() as session:
            return reading.builds_matching(
                session,
                since=None if since is None else utc_moment(since),
                after=None if after is None else self._refs(session).build(after),
                limit=limit,
            )

    def targets(self, ref: Any) -> tuple[Target, ...]:
        """List the targets of a task, or the one target that is named.

        Args:
            ref: A task: its declared outputs. A path or URI: the target there.

        Returns:
            Ordered by place.

        Raises:
            TaskNotFound: nothing answers to the ref.
            AmbiguousHash: several tasks do.
        """
        with self._reading() as session:
            refs = self._refs(session)
            task = refs.task_by_hash(ref)
            if task is not None:
                return reading.targets_of(session, task)
            number = refs.target(ref)
            if number is None:
                refs.not_found(ref)
            return (reading.target(session, number),)

    def stats(self, *, since: Moment | None = None, runs: int = 100_000, limit: int = 10) -> Stats:
        """Count the newest runs: the slowest, the most often run, the failing, the biggest.

        Args:
            since: Only runs begun then or later; as for `tasks`.
            runs: Look at this many at most, the newest ones.
            limit: Rows of each list.

        Raises:
            ValueError: `since` is no moment.
        """
        with self._reading() as session:
            moment = "" if since is None else utc_moment(since)
            return reading.stats_since(session, since=moment, window=runs, limit=limit)
