"""Runs as OpenLineage events, told after the fact: no task ever waits for a lineage server, or fails with it.

This is the one place where our words become theirs: a family is a job, a run is a run, a build its parent,
a target is a dataset and its fingerprint the dataset's version.

Source: https://openlineage.io/docs/spec/object-model, https://openlineage.io/docs/spec/naming
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from superluigi_catalog.connected import Connected
from superluigi_catalog.errors import CatalogError, ExportUnavailable
from superluigi_catalog.places import scheme_of
from superluigi_catalog.reading.runs import runs_by_id
from superluigi_catalog.records import InputEntry, OutputEntry
from superluigi_catalog.results import Run
from superluigi_catalog.storage.session import Session
from superluigi_catalog.upkeep.reports import Exported, Progress, Report

if TYPE_CHECKING:
    from openlineage.client.event_v2 import RunEvent

__all__ = ["export_openlineage"]

_PORTION = 100
_ENDS = {"succeeded": "COMPLETE", "failed": "FAIL", "interrupted": "ABORT"}
"""The statuses of what was really executed, and how it is said to have ended."""


def export_openlineage(
    store: Connected, client: Any, *, namespace: str | None, again: bool, report: Report | None
) -> Exported:
    """Emit two events for each run that has ended and was not told of before; see `Keeper`."""
    started = time.monotonic()
    client = client or _client()
    make = _Events(store.project.absolute_path, namespace or _namespace(store))
    with store._reading() as session:
        wanted = _untold(session, again=again)
    emitted = 0
    for start in range(0, len(wanted), _PORTION):
        portion = wanted[start : start + _PORTION]
        with store._reading() as session:
            runs = sorted(runs_by_id(session, portion), key=lambda run: run.started_at)
        try:
            for run in runs:
                for event in make.of(run):
                    client.emit(event)
                    emitted += 1
        except Exception as error:  # whatever a transport raises
            message = (
                f"The lineage server did not take an event ({type(error).__name__}: {error}). "
                f"{start:,} runs were told; the next export goes on with the others."
            )
            raise CatalogError(message, path=str(store.path)) from error
        with store._writing() as session:
            session.executemany(
                "INSERT OR IGNORE INTO exported_runs(run_id) VALUES (?)", [(n,) for n in portion]
            )
        if report is not None:
            report(Progress(start + len(portion), len(wanted)))
    return Exported(len(wanted), emitted, round(time.monotonic() - started, 3))


def _untold(session: Session, *, again: bool) -> list[int]:
    rows = session.rows(
        """
        SELECT id FROM runs WHERE status IN (SELECT value FROM json_each(?))
          AND (? OR id NOT IN (SELECT run_id FROM exported_runs)) ORDER BY started_at, id
        """,
        (json.dumps(list(_ENDS)), again),
    )
    return [number for (number,) in rows]


def _client() -> Any:
    try:
        from openlineage.client import OpenLineageClient
    except ImportError as error:
        message = (
            "Exporting to OpenLineage needs its client, which is not installed. "
            "Run: pip install 'superluigi[openlineage]'"
        )
        raise ExportUnavailable(message) from error
    return OpenLineageClient()


def _namespace(store: Connected) -> str:
    root = store.project.root
    return root.name if root is not None else "superluigi"


class _Events:
    """Makes events of runs.

    Args:
        absolute_path: Undoes the stored form of local paths.
        namespace: Of the jobs.
    """

    def __init__(self, absolute_path: Callable[[str], str], namespace: str) -> None:
        self._absolute_path = absolute_path
        self._namespace = namespace
        self._version = version("superluigi")
        self._producer = f"https://pypi.org/project/superluigi/{self._version}"

    def of(self, run: Run) -> Iterator[RunEvent]:
        """Say when the run began, and how and with what it ended."""
        from openlineage.client.event_v2 import RunState

        yield self._event(run, RunState.START, run.started_at)
        end = RunState[_ENDS[run.status]]
        yield self._event(run, end, run.ended_at or run.started_at)

    def _event(self, run: Run, state: Any, when: str) -> RunEvent:
        from openlineage.client import event_v2 as events
        from openlineage.client.facet_v2 import job_type_job

        job_type = job_type_job.JobTypeJobFacet("BATCH", "SUPERLUIGI", "TASK")
        return events.RunEvent(
            eventType=state,
            eventTime=when,
            producer=self._producer,
            run=events.Run(_uuid(run.run_id), self._run_facets(run)),
            job=events.Job(self._namespace, run.family or "unknown", {"jobType": job_type}),
            inputs=[self._input(each) for each in run.inputs],
            outputs=[self._output(each) for each in run.outputs],
        )

    def _run_facets(self, run: Run) -> dict[str, Any]:
        from openlineage.client.facet_v2 import (
            error_message_run,
            execution_parameters_run,
            parent_run,
            processing_engine_run,
        )

        facets: dict[str, Any] = {
            "processing_engine": processing_engine_run.ProcessingEngineRunFacet(
                self._version, "Super Luigi", self._version
            ),
            "executionParameters": execution_parameters_run.ExecutionParametersRunFacet(
                [
                    execution_parameters_run.ExecutionParameter(key=name, value=value)
                    for name, value in _texts(run.params)
                ]
            ),
        }
        if run.build_id:
            facets["parent"] = parent_run.ParentRunFacet(
                parent_run.Run(_uuid(run.build_id)), parent_run.Job(self._namespace, "build")
            )
        if run.error:
            facets["errorMessage"] = error_message_run.ErrorMessageRunFacet(
                run.error, "python", run.traceback
            )
        return facets

    def _input(self, entry: InputEntry) -> Any:
        from openlineage.client.event_v2 import InputDataset

        return InputDataset(*self._named(entry.uri), facets=_version_facet(entry.fingerprint))

    def _output(self, entry: OutputEntry) -> Any:
        from openlineage.client.event_v2 import OutputDataset
        from openlineage.client.facet_v2 import output_statistics_output_dataset as statistics

        facet = statistics.OutputStatisticsOutputDatasetFacet(
            size=entry.size_bytes, fileCount=entry.file_count
        )
        return OutputDataset(
            *self._named(entry.uri),
            facets=_version_facet(entry.fingerprint),
            outputFacets={"outputStatistics": facet},
        )

    def _named(self, uri: str) -> tuple[str, str]:
        """Name a dataset as OpenLineage does: the namespace is the store, the name the path in it."""
        if not scheme_of(uri):
            return "file", self._absolute_path(uri)
        scheme, _, rest = uri.partition("://")
        store, _, name = rest.partition("/")
        return f"{scheme}://{store}", name or "/"


def _version_facet(fingerprint: str) -> dict[str, Any]:
    from openlineage.client.facet_v2 import dataset_version_dataset

    return {"version": dataset_version_dataset.DatasetVersionDatasetFacet(fingerprint)}


def _texts(params: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, str(value)) for name, value in params.items()]


def _uuid(text: str) -> str:
    """Keep an id that is a UUID, as ours are; make one of any other, always the same."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"superluigi:{text}"))
