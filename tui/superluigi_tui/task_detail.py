"""All that the catalog and the project's files tell of one task, read in one go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from superluigi_catalog import Catalog, Lineage, Run, Target, TargetRecord, Task, Why

__all__ = ["TaskDetail", "read_tail", "run_log_path"]

_RUNS = 100
_LOG_BYTES = 256 * 1024


@dataclass(frozen=True)
class TaskDetail:
    """One task and its surroundings."""

    task: Task
    targets: tuple[Target, ...]
    runs: tuple[Run, ...]
    """Newest first."""
    current: Run | None
    """The run that stands for the outputs, with its code and environment."""
    upstream: Lineage
    downstream: Lineage
    inputs: Mapping[str, TargetRecord]
    """What is known now of what the current run read, by uri."""
    why: Why
    """By the records, or with the code as it is now."""
    log: str
    """The end of the log of the newest run that has one."""
    sidecars: tuple[tuple[str, str | None], ...]
    """(path, text) of each output; the text is None where there is none, or it is remote."""
    sources: Mapping[str, str]
    """Recorded source texts, by fingerprint."""
    root: Path

    @property
    def remote_sidecars(self) -> bool:
        """Whether there are sidecars that only a child process can read."""
        return any("://" in path and text is None for path, text in self.sidecars)

    @classmethod
    def read(cls, catalog: Catalog, ref: Any) -> TaskDetail:
        """Read it.

        Raises:
            TaskNotFound, AmbiguousHash: for the ref.
        """
        task = catalog.task(ref)
        own = task.task_hash
        current = catalog.run(task.current_run_id) if task.current_run_id else None
        runs = catalog.runs(own, limit=_RUNS)
        targets = catalog.targets(own)
        parts = (current.code.get("parts") or ()) if current is not None else ()
        uris = {entry.uri for entry in current.inputs} if current is not None else set()
        return cls(
            task=task,
            targets=targets,
            runs=runs,
            current=current,
            upstream=catalog.upstream(own, depth=1),
            downstream=catalog.downstream(own, depth=1),
            inputs=catalog.target_records(uris),
            why=catalog.why(own),
            log=_log_of(catalog, runs),
            sidecars=tuple(_sidecar(catalog, target) for target in targets),
            sources=catalog.code_sources([str(part.get("fingerprint")) for part in parts]),
            root=catalog.project.root or Path.cwd(),
        )


def run_log_path(catalog: Catalog, run: Run) -> Path | None:
    """Where the log of a run is, if it has one.

    The names come from the catalog: what leads out of the folder of builds is no log.
    """
    if not run.log or run.build_id is None:
        return None
    builds = catalog.path.parent / "builds"
    path = (builds / catalog.build(run.build_id).directory / run.log).resolve()
    return path if path.is_relative_to(builds.resolve()) else None


def read_tail(path: Path, most: int = _LOG_BYTES) -> str:
    """Read the end of a file; empty where there is none."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - most))
            text = file.read(most).decode("utf-8", "backslashreplace")
    except (OSError, ValueError):
        return ""
    return (
        text if size <= most else f"… ({size - most:,} bytes before)\n{text.partition(chr(10))[2]}"
    )


def _log_of(catalog: Catalog, runs: tuple[Run, ...]) -> str:
    for run in runs[:5]:
        path = run_log_path(catalog, run)
        text = read_tail(path) if path is not None else ""
        if text or run.traceback:
            return f"{text}{run.traceback or ''}"
    return ""


def _sidecar(catalog: Catalog, target: Target) -> tuple[str, str | None]:
    if "://" in target.uri:
        return f"{target.uri}.metadata.json", None
    place = Path(catalog.project.absolute_path(target.uri))
    beside, inside = place.with_name(f"{place.name}.metadata.json"), place / ".metadata.json"
    path = inside if inside.is_file() and not beside.exists() else beside
    return str(path), read_tail(path) or None
