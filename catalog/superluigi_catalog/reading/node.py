"""What is compared of a run: all that it was made with, loaded for many at once."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from superluigi_catalog.difference import Side
from superluigi_catalog.storage.session import Session
from superluigi_catalog.storage.values import from_json

__all__ = ["Input", "Node", "NodeKey", "nodes_of", "sources_of", "stored"]

NodeKey = tuple[int, "int | None"]
"""A task, and the run of it that counts; both by id."""


@dataclass(frozen=True, slots=True)
class Input:
    """One thing that a run consumed; without a run, a task that is required."""

    uri: str | None
    fingerprint: str | None
    source: NodeKey | None
    """Who had made it, where known."""


@dataclass(slots=True)
class Node:
    """One side of a comparison."""

    side: Side
    params: dict[str, str]
    code_id: int | None
    environment_id: int | None
    metadata: dict[str, Any]
    error: str | None
    inputs: dict[str, Input] = field(default_factory=dict)
    outputs: dict[str, tuple[str, str]] = field(default_factory=dict)
    """(uri, fingerprint) by place."""


_RUNS = """
SELECT r.id, t.id, t.hash, f.name, t.params, r.uuid, r.status, r.code_id, r.environment_id, r.metadata,
  r.error_type
FROM json_each(?) w CROSS JOIN runs r ON r.id = w.value
CROSS JOIN tasks t ON t.id = r.task_id LEFT JOIN families f ON f.id = t.family_id
"""
_TASKS = """
SELECT t.id, t.hash, f.name, t.params FROM json_each(?) w CROSS JOIN tasks t ON t.id = w.value
LEFT JOIN families f ON f.id = t.family_id
"""
_INPUTS = """
SELECT i.run_id, i.place, g.uri, k.fingerprint, i.source_task_id, i.source_run_id FROM json_each(?) w
CROSS JOIN run_inputs i ON i.run_id = w.value
CROSS JOIN contents k ON k.id = i.content_id CROSS JOIN targets g ON g.id = k.target_id
"""
_OUTPUTS = """
SELECT o.run_id, o.place, g.uri, k.fingerprint FROM json_each(?) w
CROSS JOIN run_outputs o ON o.run_id = w.value
CROSS JOIN contents k ON k.id = o.content_id CROSS JOIN targets g ON g.id = k.target_id
"""
_REQUIRED = """
SELECT e.task_id, e.place, u.id, u.current_run_id FROM json_each(?) w
CROSS JOIN edges e ON e.task_id = w.value AND e.kind IN (0, 3) CROSS JOIN tasks u ON u.id = e.upstream_id
"""


def nodes_of(session: Session, keys: Collection[NodeKey]) -> dict[NodeKey, Node]:
    """Load what is compared of runs, and of tasks that have none, in a handful of statements."""
    nodes: dict[NodeKey, Node] = {}
    by_run = {run: (task, run) for task, run in keys if run is not None}
    runs = json.dumps(sorted(by_run))
    for (
        number,
        _,
        task_hash,
        family,
        params,
        uuid,
        status,
        code,
        env,
        metadata,
        error,
    ) in session.rows(_RUNS, (runs,)):
        side = Side(task_hash, family or "", uuid, status)
        nodes[by_run[number]] = Node(
            side, from_json(params), code, env, from_json(metadata) or {}, error
        )
    for run, place, uri, fingerprint, task, made_by in session.rows(_INPUTS, (runs,)):
        source = None if task is None else (task, made_by)
        nodes[by_run[run]].inputs[place] = Input(uri, fingerprint, source)
    for run, place, uri, fingerprint in session.rows(_OUTPUTS, (runs,)):
        nodes[by_run[run]].outputs[place] = (uri, fingerprint)
    _add_tasks_without_runs(session, [task for task, run in keys if run is None], nodes)
    return nodes


def _add_tasks_without_runs(
    session: Session, tasks: Iterable[int], nodes: dict[NodeKey, Node]
) -> None:
    asked = json.dumps(sorted(set(tasks)))
    for task, task_hash, family, params in session.rows(_TASKS, (asked,)):
        side = Side(task_hash, family or "", None, None)
        nodes[(task, None)] = Node(side, from_json(params), None, None, {}, None)
    for task, place, upstream, run in session.rows(_REQUIRED, (asked,)):
        nodes[(task, None)].inputs[place] = Input(None, None, (upstream, run))


def stored(session: Session, table: str, ids: Collection[int]) -> dict[int, Any]:
    """Load codes or environments, each once.

    Args:
        session: With an open snapshot.
        table: `code` or `environments`.
        ids: Which.
    """
    sql = {
        "code": "SELECT c.id, c.content FROM json_each(?) w CROSS JOIN code c ON c.id = w.value",
        "environments": "SELECT e.id, e.content FROM json_each(?) w CROSS JOIN environments e ON e.id = w.value",
    }[table]
    return {
        number: from_json(text) for number, text in session.rows(sql, (json.dumps(sorted(ids)),))
    }


def sources_of(session: Session, fingerprints: Collection[str]) -> dict[str, str]:
    """Load the source texts of parts of code, by fingerprint."""
    return dict(
        session.rows(
            """
            SELECT s.fingerprint, s.source FROM json_each(?) w
            CROSS JOIN code_sources s ON s.fingerprint = w.value
            """,
            (json.dumps(sorted(fingerprints)),),
        )
    )
