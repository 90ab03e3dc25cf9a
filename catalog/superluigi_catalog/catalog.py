"""`Catalog`: all that can be recorded and asked, in one place. The work is in `recording` and `reading`."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from superluigi_catalog import reading, recording
from superluigi_catalog.lineage import Lineage
from superluigi_catalog.project import Project, find_project, project_of
from superluigi_catalog.reading.refs import References
from superluigi_catalog.records import (
    BuildEntry,
    JsonObject,
    Observed,
    RunEntry,
    TargetRecord,
    TaskEntry,
)
from superluigi_catalog.results import Build, Interrupted, Revision, Run, Target, Task
from superluigi_catalog.storage.connection import Connections
from superluigi_catalog.storage.failures import translating
from superluigi_catalog.storage.session import Session

__all__ = ["Catalog"]

FILE_NAME = "catalog.db"


class Catalog:
    """The lineage of a project, in one SQLite file.

    A context manager. Threads and forked processes may share one: each has a connection of its own, and
    every call is one transaction or one consistent look.

    A *ref* is a task hash or at least four digits of its beginning, the path of a target (relative to the
    working directory, or absolute) or its URI, or an object with a `task_hash`, such as a task.

    Args:
        path: The file; made where there is none. Without it, `catalog.db` in the home of the project
            around the working directory.
        read_only: Record nothing, and make no file.

    Raises:
        CatalogMissing: there is no such file, and it is only to be read.
        NotACatalog: the file is something else.
        CatalogTooNew, CatalogTooOld: its form is not the present one.
        CatalogLocked: another process kept it locked; any later call may raise it too.
        CatalogError: anything else that keeps it from being opened.
    """

    path: Path
    """Where it is."""
    project: Project
    """Whose it is: how local paths are stored."""
    read_only: bool
    """Whether it refuses to record."""

    def __init__(
        self, path: str | os.PathLike[str] | None = None, *, read_only: bool = False
    ) -> None:
        self.path, self.project = _located(path)
        self.read_only = read_only
        if not read_only and self.path.parent == self.project.home:
            self.project.ensure_home()
        self._connections = Connections(self.path, read_only=read_only)
        self._connections.check()

    def __enter__(self) -> Catalog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Catalog({str(self.path)!r})"

    def close(self) -> None:
        """End its connections; a later call opens them again."""
        self._connections.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all that is recorded while inside, or, after an error, nothing of it.

        Other processes cannot record anything meanwhile: keep it short, and do not fork inside.

        Raises:
            CatalogReadOnly: it was opened for reading.
        """
        with self._connections.transaction():
            yield

    # The runner's side.

    def start_build(self, entry: BuildEntry) -> None:
        """Record that a build began; a second time changes nothing."""
        with self._writing() as session:
            recording.start_build(session, entry)

    def end_build(
        self,
        build_id: str,
        *,
        status: str,
        ended_at: str,
        counts: Mapping[str, int],
        error: str | None = None,
    ) -> None:
        """Record how a build ended.

        Args:
            build_id: As it was started.
            status: `succeeded`, `failed` or `interrupted`.
            ended_at: UTC, ISO 8601.
            counts: How many tasks came to what end.
            error: What stopped the build itself.

        Raises:
            RecordRefused: there is no such status.
        """
        with self._writing() as session:
            recording.end_build(
                session, build_id, status=status, ended_at=ended_at, counts=counts, error=error
            )

    def record_tasks(self, entries: Iterable[TaskEntry]) -> None:
        """Record tasks as a build declares them, with their edges and outputs.

        What is declared as before costs next to nothing: 10,000 such tasks about 0.05 s. A task that is
        only named as upstream is kept as a stub until it is declared itself.

        Raises:
            RecordRefused: a hash is not 32 hex digits.
        """
        with self._writing() as session:
            recording.record_tasks(session, entries)

    def start_run(
        self,
        run_id: str,
        task_hash: str,
        *,
        build_id: str | None,
        reason: JsonObject,
        reasons: Sequence[JsonObject],
        started_at: str,
        owner: str,
        log: str = "",
    ) -> None:
        """Record that a run began; one that has ended already stays as it is.

        Args:
            run_id: Its own id, the one in the sidecar.
            task_hash: What it runs.
            build_id: Which build started it.
            reason: Why it runs: kind, text, details.
            reasons: All of them.
            started_at: UTC, ISO 8601.
            owner: `this_owner()` of the process that will say how it ended.
            log: Path of its log, relative to the build's folder.

        Raises:
            RecordRefused: the hash is not 32 hex digits.
        """
        with self._writing() as session:
            recording.start_run(
                session,
                run_id,
                task_hash,
                build=build_id,
                reason=reason,
                reasons=reasons,
                started_at=started_at,
                owner=owner,
                log=log,
            )

    def finish_run(self, entry: RunEntry) -> None:
        """Record how a run ended, with all that it consumed and made; started before, or not.

        With `succeeded`, `unchanged`, `adopted` or `shared` it becomes the record that counts for its
        targets and its task. A run that failed changes neither. Recorded twice it is there once.

        Raises:
            RecordRefused: a hash is not 32 hex digits, or there is no such status.
        """
        with self._writing() as session:
            recording.finish_run(session, entry)

    def observe(self, observations: Iterable[Observed]) -> None:
        """Record what looks at targets showed; a look older than the last one is ignored.

        A known content stays known while the token is the same; a new token without a fingerprint means
        that nobody knows what is there. A look that failed (`error`) says nothing about the content.
        """
        with self._writing() as session:
            recording.observe(session, observations)

    def mark_interrupted(self, alive: Callable[[str], bool]) -> Interrupted:
        """Give runs and builds that are `running` under a dead owner the status `interrupted`.

        Args:
            alive: Says of an owner whether it may still be at work: `superluigi_catalog.owner.is_alive`.

        Returns:
            The ids of those that were found dead now.
        """
        with self._writing() as session:
            return recording.mark_interrupted(session, alive)

    def index_sidecar(
        self,
        document: Mapping[str, Any],
        *,
        uri: str,
        kind: str,
        token: str | None = None,
        observed_ns: int = 0,
        fingerprint: str | None = None,
    ) -> None:
        """Record what a sidecar says; twice is once, and what is known from the run itself stays.

        Args:
            document: As `parse_sidecar` returned it, of a target that stands.
            uri: Where the target is, in its stored form; a moved one counts here, not as the sidecar says.
            kind: The target's class.
            token: What a look at the target showed; None: nobody looked.
            observed_ns: When that was.
            fingerprint: The content behind the token, where it is not the sidecar's.
        """
        with self._writing() as session:
            recording.index_sidecar(
                session,
                document,
                uri=uri,
                kind=kind,
                token=token,
                observed_ns=observed_ns,
                fingerprint=fingerprint,
            )

    def target_records(
        self, uris: Collection[str], *, with_code_parts: bool = False
    ) -> dict[str, TargetRecord]:
        """Look up targets with the runs that they are recorded under, in the same few statements for any number.

        Args:
            uris: In their stored form.
            with_code_parts: Also load `RunRecord.code_parts` and `.environment`.

        Returns:
            By uri, in no order; without those that nobody recorded. Inputs are ordered by place.
        """
        with self._reading() as session:
            return reading.target_records(session, uris, with_code_parts=with_code_parts)

    def durations(self, families: Mapping[str, str]) -> dict[str, float]:
        """Estimate how long tasks will take.

        Args:
            families: The family of each, by task hash; the catalog need not know the task.

        Returns:
            Seconds by task hash: what the last run that succeeded took, else what is usual in the family
            (a moving average); without those of which nothing is known.
        """
        with self._reading() as session:
            return reading.durations(session, families)

    def dynamic_upstream(
        self, task_hashes: Collection[str]
    ) -> dict[str, tuple[tuple[str, str], ...]]:
        """Look up what the current runs of tasks yielded.

        Returns:
            (place, task hash) pairs by task hash, ordered by place; without tasks that yielded nothing.
        """
        with self._reading() as session:
            return reading.dynamic_upstream(session, task_hashes)

    # Everybody's side.

    def task(self, ref: Any) -> Task:
        """Look up one task.

        Raises:
            TaskNotFound: nothing answers to the ref; the message suggests what does.
            AmbiguousHash: several tasks do.
        """
        with self._reading() as session:
            number = self._refs(session).task(ref)
            return reading.tasks_by_id(session, [number])[number]

    def tasks(
        self,
        family: str | None = None,
        params: Mapping[str, Any] | None = None,
        status: str | Collection[str] | None = None,
        search: str | None = None,
        since: datetime | str | None = None,
        limit: int | None = None,
        after: Any = None,
    ) -> tuple[Task, ...]:
        """List the tasks for which all of these hold.

        Args:
            family: Its name.
            params: Values of parameters by name, compared as text.
            status: One of `STATUSES`, or several.
            search: Words of the family and of values of parameters, the last one perhaps unfinished; or
                the beginning of a task hash.
            since: The last run began then or later; text in the form `2026-01-05`, also with a time, in
                UTC.
            limit: How many at most.
            after: The last one of the page before: a ref.

        Returns:
            Those recorded last first; not those that are only known as somebody's input.

        Raises:
            ValueError: there is no such status.
            TaskNotFound, AmbiguousHash: for `after`.
        """
        with self._reading() as session:
            wanted = reading.TaskFilter()
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
            return found if found is not None else self._refs(session).not_found(run_id)

    def runs(
        self, ref: Any = None, *, build: str | None = None, limit: int | None = 100
    ) -> tuple[Run, ...]:
        """List runs, newest first.

        Args:
            ref: Of this task; None: of all.
            build: Only of the build with this id.
            limit: How many at most; None: all.

        Raises:
            TaskNotFound: nothing answers to the ref, or there is no such build.
            AmbiguousHash: several tasks answer to the ref.
        """
        with self._reading() as session:
            refs = self._refs(session)
            task = None if ref is None else refs.task(ref)
            number = None if build is None else refs.build(build)
            return reading.runs(session, task=task, build=number, limit=limit)

    def build(self, build_id: str) -> Build:
        """Look up one build.

        Raises:
            TaskNotFound: there is none.
        """
        with self._reading() as session:
            found = reading.build_by_uuid(session, build_id)
            return found if found is not None else self._refs(session).not_found(build_id)

    def builds(self, *, limit: int | None = 100) -> tuple[Build, ...]:
        """List builds, newest first.

        Args:
            limit: How many at most; None: all.
        """
        with self._reading() as session:
            return reading.builds(session, limit)

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
        with self._reading() as session:
            return reading.lineage_of(session, self._refs(session).task(ref), "upstream", depth)

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
        with self._reading() as session:
            return reading.lineage_of(session, self._refs(session).task(ref), "downstream", depth)

    def who_made(self, path_or_digest: str | os.PathLike[str]) -> tuple[Run, ...]:
        """List the runs that made a content, newest first; none when nobody recorded it.

        Args:
            path_or_digest: A target: what is there now. A fingerprint (`sha256:…`, or at least eight
                characters of its value), or the 64 hex digits that `sha256sum` prints: wherever it is.
                Any other file: it is read, and looked for by its bytes, so that a copy is known too.

        Raises:
            TaskNotFound: a path that is neither a target nor a file.
        """
        with self._reading() as session:
            return reading.who_made(self._refs(session), path_or_digest)

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
        """List what runs wrote to a target, newest first.

        Raises:
            TaskNotFound: no such target is recorded.
        """
        with self._reading() as session:
            return reading.history(self._refs(session), path)

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with translating(str(self.path)), self._connections.transaction() as session:
            yield session

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        with translating(str(self.path)), self._connections.snapshot() as session:
            yield session

    def _refs(self, session: Session) -> References:
        return References(session, self.project)


def _located(path: str | os.PathLike[str] | None) -> tuple[Path, Project]:
    if path is None:
        project = find_project()
        return project.home / FILE_NAME, project
    found = Path(os.path.normpath(Path.cwd() / Path(path).expanduser()))
    return found, project_of(found.parent)
