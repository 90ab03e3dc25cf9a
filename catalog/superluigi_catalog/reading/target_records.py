"""What decisions compare with: targets and the runs behind them, any number in a handful of statements."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from superluigi_catalog.reading.sources import Sources
from superluigi_catalog.records import InputEntry, JsonObject, RunRecord, TargetRecord
from superluigi_catalog.storage.bulk import garbage_kept, maker_of
from superluigi_catalog.storage.session import Row, Session
from superluigi_catalog.storage.values import from_json, storable

__all__ = ["target_records_of"]


def target_records_of(
    session: Session, uris: Collection[str], *, with_code_parts: bool
) -> dict[str, TargetRecord]:
    """Look up targets with the runs that they are recorded under."""
    keys = {storable(uri): uri for uri in uris}
    with garbage_kept():
        rows = session.rows(_TARGETS, (json.dumps(list(keys), ensure_ascii=False),))
        run_ids = {row[9] for row in rows if row[9] is not None}
        inputs = _sources(rows).inputs_of(session, run_ids)
        details = _details(session, run_ids) if with_code_parts else {}
        # One call for all: a call for each takes twice the time.
        params = json.loads(f"[{','.join(row[13] or 'null' for row in rows)}]")
        return {
            keys[row[0]]: _target_record(keys[row[0]], row, each, inputs, details)
            for row, each in zip(rows, params, strict=True)
        }


# Columns 1 to 8 are those of TargetRecord, in its order.
_TARGETS = """
SELECT g.uri, g.kind, g.state, g.token, s.fingerprint, g.size_bytes, g.etag, g.version_id,
  g.observed_ns, g.run_id, r.uuid, t.hash, f.name, t.params, r.status, r.ended_at, r.duration_s,
  g.run_place, m.fingerprint, c.fingerprint,
  t.id, g.seen_content_id, s.size_bytes, g.run_content_id, m.size_bytes
FROM json_each(?) w
CROSS JOIN targets g ON g.uri = w.value
LEFT JOIN contents s ON s.id = g.seen_content_id
LEFT JOIN runs r ON r.id = g.run_id
LEFT JOIN contents m ON m.id = g.run_content_id
LEFT JOIN tasks t ON t.id = r.task_id
LEFT JOIN families f ON f.id = t.family_id
LEFT JOIN code c ON c.id = r.code_id
"""

_target = maker_of(TargetRecord)
_run_record = maker_of(RunRecord)

_Details = Mapping[int, "tuple[tuple[JsonObject, ...], Any]"]


def _target_record(
    uri: str,
    row: Row,
    params: Mapping[str, str],
    inputs: Mapping[int, list[InputEntry]],
    details: _Details,
) -> TargetRecord:
    run = None
    if row[9] is not None:
        parts, environment = details.get(row[9], ((), {}))
        run = _run_record(
            row[10],
            row[11],
            row[12] or "",
            params,
            row[14],
            row[15],
            row[16],
            row[17],
            row[18],
            tuple(inputs.get(row[9], ())),
            row[19],
            parts,
            environment,
        )
    return _target(uri, row[1], row[2], row[3], row[4], row[5], row[6], row[7], row[8], run)


def _sources(rows: Iterable[Row]) -> Sources:
    """Collect what the rows of targets tell already."""
    sources = Sources()
    for row in rows:
        sources.runs[row[9]] = row[10]
        sources.tasks[row[20]] = row[11]
        sources.contents[row[23]] = (row[0], row[1], row[18], row[24])
        if row[21] != row[23]:
            sources.contents[row[21]] = (row[0], row[1], row[4], row[22])
    return sources


def _details(session: Session, run_ids: Iterable[int]) -> _Details:
    """Load code parts and environments, each distinct one parsed once."""
    rows = session.rows(
        """
        SELECT r.id, c.content, e.content FROM json_each(?) w CROSS JOIN runs r ON r.id = w.value
        LEFT JOIN code c ON c.id = r.code_id LEFT JOIN environments e ON e.id = r.environment_id
        """,
        (json.dumps(list(run_ids)),),
    )
    parsed: dict[str | None, Any] = {None: {}}
    for text in {text for _, *texts in rows for text in texts} - {None}:
        parsed[text] = from_json(text)
    return {
        run: (tuple(parsed[code].get("parts", ())), parsed[environment])
        for run, code, environment in rows
    }
