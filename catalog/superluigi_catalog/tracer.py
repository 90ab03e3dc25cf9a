"""Everybody's side of the catalog: where things come from, what became of them, what differs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from superluigi_catalog import reading
from superluigi_catalog.as_of import AsOf
from superluigi_catalog.connected import Connected
from superluigi_catalog.moments import Moment, utc_moment

if TYPE_CHECKING:
    from superluigi_catalog.difference import Diff
    from superluigi_catalog.lineage import Direction, Lineage
    from superluigi_catalog.results import Revision, Run

__all__ = ["Tracer"]


class Tracer(Connected):
    """Follows lineage; every call sees one consistent state (and see `Lineage`, which is read as it is used)."""

    def upstream(self, ref: Any, depth: int | None = None) -> Lineage:
        """Follow a task's inputs.

        Args:
            ref: Where to begin.
            depth: Steps to go; None: all the way.

        Raises:
            TaskNotFound: nothing answers to the ref.
            AmbiguousHash: several tasks do.
            ValueError: the depth is negative.
        """
        return self._followed(ref, "upstream", depth)

    def downstream(self, ref: Any, depth: int | None = None) -> Lineage:
        """Follow what was made of a task's results.

        Args:
            ref: Where to begin.
            depth: Steps to go; None: all the way.

        Raises:
            TaskNotFound: nothing answers to the ref.
            AmbiguousHash: several tasks do.
            ValueError: the depth is negative.
        """
        return self._followed(ref, "downstream", depth)

    def lineage(self, ref: Any, depth: int | None = None) -> Lineage:
        """Follow a task's inputs, and what was made of its results: in a notebook, a picture.

        Args:
            ref: Where to begin.
            depth: Steps to go, each way; None: all the way.

        Raises:
            TaskNotFound: nothing answers to the ref.
            AmbiguousHash: several tasks do.
            ValueError: the depth is negative.
        """
        with self._reading() as session:
            return reading.lineage_of(session, self._refs(session).task(ref), "both", depth)

    def _followed(self, ref: Any, direction: Direction, depth: int | None) -> Lineage:
        with self._reading() as session:
            number = self._refs(session).task(ref)
            if depth is not None:
                return reading.lineage_of(session, number, direction, depth)
            root = reading.tasks_by_id(session, [number])[number]
        from superluigi_catalog.unread import unread_lineage

        return unread_lineage(self, number, root, direction)

    def as_of(self, when: Moment) -> AsOf:
        """Ask as on an earlier day: `catalog.as_of("2026-01-05").upstream(ref)`.

        Args:
            when: A `datetime`, a date (its beginning), a `timedelta` back from now; or text, as for `tasks`.

        Raises:
            ValueError: it is no moment.
        """
        return AsOf(self, utc_moment(when))

    def who_made(self, path_or_digest: str | os.PathLike[str]) -> Run | None:
        """Name the run that made a content: the newest one, where several made the same bytes.

        Args:
            path_or_digest: A target: what is there now. A fingerprint (`sha256:…`, or at least eight
                characters of its value), or the 64 hex digits that `sha256sum` prints: wherever it is.
                Any other file: it is read, and looked for by its bytes, so that a copy is known too.

        Returns:
            None when no run is recorded that made it, such as for a target that was edited since.

        Raises:
            TaskNotFound: a path that is neither a target nor a file.
        """
        return next(iter(self.makers(path_or_digest)), None)

    def makers(self, path_or_digest: str | os.PathLike[str]) -> tuple[Run, ...]:
        """List all runs that made a content, newest first.

        Args:
            path_or_digest: As for `who_made`.

        Raises:
            TaskNotFound: a path that is neither a target nor a file.
        """
        with self._reading() as session:
            return reading.makers(self._refs(session), path_or_digest)

    def who_read(self, path_or_digest: str | os.PathLike[str]) -> tuple[Run, ...]:
        """List the runs that consumed a target, whatever it held then, or a content; newest first.

        Args:
            path_or_digest: As for `who_made`.

        Raises:
            TaskNotFound: a path that is neither a target nor a file.
        """
        with self._reading() as session:
            return reading.who_read(self._refs(session), path_or_digest)

    def history(self, path: str | os.PathLike[str]) -> tuple[Revision, ...]:
        """List every content that a target has held, newest first: who made it, who consumed it.

        A content that several runs put there comes once for each of them; one that no run made, with
        `run` None.

        Raises:
            TaskNotFound: no such target is recorded.
        """
        with self._reading() as session:
            return reading.history_of(self._refs(session), path)

    def diff(self, a: Any, b: Any = None) -> Diff:
        """Compare two tasks, two runs or two builds, and name what of it came first.

        Both graphs are walked together from the results to the inputs, only where contents differ: what is
        upstream of equal contents explains nothing. An environment counts only where nothing else explains
        another result. Builds are compared by what they asked for, and by what failed.

        Args:
            a: A task's ref (its current run), a run's id, a build's id or the beginning of one; or what
                the catalog returned of one.
            b: The other one: a task or run with a task or run, a build with a build. None: `a` is compared
                with the run before it, or with the build of the same tasks before it, which stand first.

        Raises:
            TaskNotFound: nothing answers to one of them, or nothing was before `a`.
            AmbiguousHash: several tasks or builds do.
            ValueError: a build, and something else.
        """
        with self._reading() as session:
            refs = self._refs(session)
            return reading.diff_before(refs, a) if b is None else reading.diff_between(refs, a, b)
