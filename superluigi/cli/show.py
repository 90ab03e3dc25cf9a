"""`superluigi show`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from superluigi.cli.output import emit, emit_json
from superluigi.cli.texts import (
    digest_text,
    duration_text,
    moment_text,
    params_text,
    run_text,
    size_text,
)

if TYPE_CHECKING:
    from superluigi_catalog import Catalog
    from superluigi_catalog.results import Run, Target, Task

__all__ = ["command"]

_RUNS = 5


@click.command("show")
@click.argument("ref")
@click.option(
    "--sidecar", is_flag=True, help="Show the sidecars that stand beside its outputs now, instead."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(ref: str, sidecar: bool, as_json: bool) -> None:
    """Show what is recorded of one task.

    REF: a task hash or its beginning, a target's path or URI.
    """
    from superluigi_catalog import Catalog

    with Catalog(read_only=True) as catalog:
        found = _found(catalog, ref)
        places = [catalog.project.absolute_path(target.uri) for target in found.outputs]
    if sidecar:
        _show_sidecars(places, as_json=as_json)
        return
    if as_json:
        emit_json(found.to_dict())
        return
    for line in _lines(found):
        emit(line)


def _show_sidecars(places: Sequence[str], *, as_json: bool) -> None:
    """Read them where the targets are: from S3 with a request for each."""
    from superluigi.errors import SidecarError
    from superluigi.targets.foreign import target_at

    documents: dict[str, Any] = {}
    for place in places:
        target = target_at(place)
        if target is not None:
            try:
                documents[target.metadata_path] = target.metadata()
            except SidecarError as error:
                documents[target.metadata_path] = {"error": str(error)}
    if as_json:
        emit_json({"sidecars": documents})
        return
    for path, document in documents.items():
        emit(path)
        text = json.dumps(document, indent=2, ensure_ascii=False) if document else "  there is none"
        emit(text, multiline=True)


@dataclass(frozen=True)
class _Found:
    """One task, with all that is shown of it."""

    task: Task
    outputs: tuple[Target, ...]
    inputs: list[dict[str, Any]]
    runs: tuple[Run, ...]
    current: Run | None
    """The run that stands for the outputs."""

    def to_dict(self) -> dict[str, Any]:
        return {
            **self.task.to_dict(),
            "outputs": [target.to_dict() for target in self.outputs],
            "inputs": self.inputs,
            "metadata": dict(self.current.metadata) if self.current else {},
            "runs": [run.to_dict() for run in self.runs],
        }


def _found(catalog: Catalog, ref: str) -> _Found:
    task = catalog.task(ref)
    own = task.task_hash
    current = catalog.run(task.current_run_id) if task.current_run_id else None
    return _Found(
        task=task,
        outputs=catalog.targets(own),
        inputs=_inputs(catalog, own, current),
        runs=catalog.runs(own, limit=_RUNS),
        current=current,
    )


def _inputs(catalog: Catalog, task_hash: str, current: Run | None) -> list[dict[str, Any]]:
    """What the current run consumed; where there is none, what the task requires."""
    lineage = catalog.upstream(task_hash, depth=1)
    families = {task.task_hash: task.family for task in lineage}
    if current is not None and current.inputs:
        rows = [
            {
                "place": entry.place,
                "uri": entry.uri,
                "fingerprint": entry.fingerprint,
                "size_bytes": entry.size_bytes,
                "task_hash": entry.task_hash,
                "run_id": entry.run_id,
            }
            for entry in current.inputs
        ]
    else:
        rows = [
            {
                "place": edge.place,
                "uri": edge.uri,
                "fingerprint": edge.fingerprint,
                "size_bytes": None,
                "task_hash": edge.upstream_hash,
                "run_id": edge.run_id,
            }
            for edge in lineage.edges
            if edge.task_hash == task_hash
        ]
    return [{**row, "family": families.get(str(row["task_hash"]))} for row in rows]


def _lines(found: _Found) -> Iterable[str]:
    task = found.task
    yield f"{task.family or 'unknown task'} {task.task_hash[:8]}  {task.status}"
    facts = [
        ("task hash", task.task_hash),
        ("module", task.module + (" (external)" if task.is_external else "")),
        ("parameters", params_text(task.params)),
        ("not counted", params_text(task.insignificant_params)),
    ]
    if task.is_stub:
        facts.append(("note", "known only as an input of others"))
    yield from _columns([fact for fact in facts if fact[1]])
    yield from _section("outputs", [_output_row(target) for target in found.outputs])
    yield from _section("inputs", [_input_row(row) for row in found.inputs])
    metadata = found.current.metadata if found.current else {}
    yield from _section("metadata", [(key, json.dumps(value)) for key, value in metadata.items()])
    yield from _section("last runs", [_run_row(run) for run in found.runs])


def _output_row(target: Target) -> tuple[str, ...]:
    is_changed = (
        target.fingerprint is not None
        and target.recorded_fingerprint is not None
        and target.fingerprint != target.recorded_fingerprint
    )
    state = "changed since it was made" if is_changed else target.state
    size = size_text(target.size_bytes)
    return (target.place, target.uri, state, size, digest_text(target.fingerprint))


def _input_row(row: dict[str, Any]) -> tuple[str, ...]:
    maker = f"{row['family'] or ''} {(row['task_hash'] or '')[:8]}".strip()
    return (
        row["place"],
        row["uri"] or "",
        f"from {maker}" if maker else "of unknown origin",
        size_text(row["size_bytes"]),
        digest_text(row["fingerprint"]),
    )


def _run_row(run: Run) -> tuple[str, ...]:
    return (moment_text(run.started_at), run.status, duration_text(run.duration_s), run_text(run))


def _section(title: str, rows: Sequence[tuple[str, ...]]) -> Iterable[str]:
    if rows:
        yield ""
        yield title
        yield from _columns(rows)


def _columns(rows: Sequence[tuple[str, ...]]) -> Iterable[str]:
    """Indented columns; one that is empty in every row is left out."""
    kept = [column for column in zip(*rows, strict=True) if any(column)]
    widths = [max(len(cell) for cell in column) for column in kept]
    for row in zip(*kept, strict=True):
        yield "  " + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()
