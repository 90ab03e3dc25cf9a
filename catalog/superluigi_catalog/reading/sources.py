"""What runs consumed, with who had made it."""

from __future__ import annotations

import json
from collections.abc import Iterable

from superluigi_catalog.records import InputEntry
from superluigi_catalog.storage.bulk import maker_of
from superluigi_catalog.storage.session import Row, Session

__all__ = ["Content", "Sources"]

_input_entry = maker_of(InputEntry)

Content = tuple[str, str, str, "int | None"]
"""uri, kind, fingerprint, size_bytes."""


class Sources:
    """The contents, tasks and runs that inputs refer to.

    Whoever asks for a graph has most of them in hand already; only the others are looked up, which saves
    a third of the time.
    """

    def __init__(self) -> None:
        self.contents: dict[int, Content] = {}
        self.tasks: dict[int | None, str | None] = {None: None}
        self.runs: dict[int | None, str | None] = {None: None}

    def inputs_of(self, session: Session, run_ids: Iterable[int]) -> dict[int, list[InputEntry]]:
        """Look up what runs consumed, ordered by place, by the run's id."""
        rows = session.rows(_INPUTS, (json.dumps(sorted(run_ids)),))
        self._look_up(session, rows)
        contents, tasks, runs = self.contents, self.tasks, self.runs
        found: dict[int, list[InputEntry]] = {}
        for run, place, content, task, made_by, etag, version_id in rows:
            entry = _input_entry(
                place, *contents[content], etag, version_id, tasks[task], runs[made_by]
            )
            found.setdefault(run, []).append(entry)
        return found

    def _look_up(self, session: Session, rows: Iterable[Row]) -> None:
        contents = {row[2] for row in rows} - self.contents.keys()
        if contents:
            for number, *source in session.rows(_CONTENTS, (json.dumps(list(contents)),)):
                self.contents[number] = (source[0], source[1], source[2], source[3])
        tasks = {row[3] for row in rows} - self.tasks.keys()
        if tasks:
            self.tasks.update(session.rows(_TASKS, (json.dumps(list(tasks)),)))
        runs = {row[4] for row in rows} - self.runs.keys()
        if runs:
            self.runs.update(session.rows(_RUNS, (json.dumps(list(runs)),)))


_INPUTS = """
SELECT i.run_id, i.place, i.content_id, i.source_task_id, i.source_run_id, i.etag, i.version_id
FROM json_each(?) w CROSS JOIN run_inputs i ON i.run_id = w.value
"""
_CONTENTS = """
SELECT k.id, g.uri, g.kind, k.fingerprint, k.size_bytes FROM json_each(?) w
CROSS JOIN contents k ON k.id = w.value CROSS JOIN targets g ON g.id = k.target_id
"""
_TASKS = "SELECT t.id, t.hash FROM json_each(?) w CROSS JOIN tasks t ON t.id = w.value"
_RUNS = "SELECT r.id, r.uuid FROM json_each(?) w CROSS JOIN runs r ON r.id = w.value"
