"""`Catalog`: all that can be recorded and asked, in one place."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from superluigi_catalog.project import Project, find_project, project_of
from superluigi_catalog.reading import estimates, target_records
from superluigi_catalog.recording import builds as build_rows
from superluigi_catalog.recording import interrupted, observations, sidecars
from superluigi_catalog.recording import runs as run_rows
from superluigi_catalog.recording import tasks as task_rows
from superluigi_catalog.records import (
    BuildEntry,
    JsonObject,
    Observed,
    RunEntry,
    TargetRecord,
    TaskEntry,
)
from superluigi_catalog.results import Interrupted
from superluigi_catalog.storage.connection import Connections
from superluigi_catalog.storage.failures import translating
from superluigi_catalog.storage.session import Session

__all__ = ["Catalog"]

FILE_NAME = "catalog.db"


class Catalog:
    """The lineage of a project, in one SQLite file."""

    def __init__(
        self, path: str | os.PathLike[str] | None = None, *, read_only: bool = False
    ) -> None:
        self.path, self.project = _located(path)
        self.read_only = read_only
        if not read_only and self.path.parent == self.project.home:
            self.project.ensure_home()
        self._connections = Connections(self.path, read_only=read_only)
        with self._connections.snapshot():
            pass

    def __enter__(self) -> Catalog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End its connections; a later call opens them again."""
        self._connections.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all that is recorded while inside, or nothing of it."""
        with self._connections.transaction():
            yield

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with translating(str(self.path)), self._connections.transaction() as session:
            yield session

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        with translating(str(self.path)), self._connections.snapshot() as session:
            yield session

    # -- recording

    def start_build(self, entry: BuildEntry) -> None:
        """Record that a build began; a second time changes nothing."""
        with self._writing() as session:
            build_rows.start_build(session, entry)

    def end_build(
        self,
        build_id: str,
        *,
        status: str,
        ended_at: str,
        counts: Mapping[str, int],
        error: str | None = None,
    ) -> None:
        """Record how a build ended."""
        with self._writing() as session:
            build_rows.end_build(
                session, build_id, status=status, ended_at=ended_at, counts=counts, error=error
            )

    def record_tasks(self, entries: Iterable[TaskEntry]) -> None:
        """Record tasks."""
        with self._writing() as session:
            task_rows.record_tasks(session, entries)

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
        """Record that a run began."""
        with self._writing() as session:
            run_rows.start_run(
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
        """Record how a run ended."""
        with self._writing() as session:
            run_rows.finish_run(session, entry)

    def observe(self, observations_: Iterable[Observed]) -> None:
        """Record what looks at targets showed."""
        with self._writing() as session:
            observations.observe(session, observations_)

    def mark_interrupted(self, alive: Callable[[str], bool]) -> Interrupted:
        """Mark runs and builds whose owner is dead."""
        with self._writing() as session:
            return interrupted.mark_interrupted(session, alive)

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
        """Record what a sidecar says."""
        with self._writing() as session:
            sidecars.index_sidecar(
                session,
                document,
                uri=uri,
                kind=kind,
                token=token,
                observed_ns=observed_ns,
                fingerprint=fingerprint,
            )

    # -- deciding

    def target_records(
        self, uris: Collection[str], *, with_code_parts: bool = False
    ) -> dict[str, TargetRecord]:
        """Look up targets."""
        with self._reading() as session:
            return target_records.target_records(session, uris, with_code_parts=with_code_parts)

    def durations(self, families: Mapping[str, str]) -> dict[str, float]:
        """Estimate durations."""
        with self._reading() as session:
            return estimates.durations(session, families)

    def dynamic_upstream(
        self, task_hashes: Collection[str]
    ) -> dict[str, tuple[tuple[str, str], ...]]:
        """Look up what current runs yielded."""
        with self._reading() as session:
            return estimates.dynamic_upstream(session, task_hashes)


def _located(path: str | os.PathLike[str] | None) -> tuple[Path, Project]:
    if path is None:
        project = find_project()
        return project.home / FILE_NAME, project
    found = Path(os.path.normpath(Path.cwd() / Path(path).expanduser()))
    return found, project_of(found.parent)
