"""The pages of a task's screen, as lines."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable

from superluigi_catalog import Task
from superluigi_tui.glyphs import Glyphs
from superluigi_tui.rerun_request import task_words
from superluigi_tui.task_detail import TaskDetail
from superluigi_tui.task_texts import param_lines, target_line
from superluigi_tui.texts import age_text, duration_text, one_line, params_text, size_text
from superluigi_tui.widgets.pieces import Cell, Column, Line, Piece
from superluigi_tui.widgets.row_list import Row

__all__ = [
    "RUN_COLUMNS",
    "command_of",
    "neighbour_rows",
    "page_lines",
    "param_page",
    "python_of",
    "run_rows",
]

RUN_COLUMNS = (
    Column("", 1),
    Column("STATE", 11),
    Column("AGE", 4, right=True),
    Column("TOOK", 6, right=True),
    Column("WHY", 0),
    Column("METADATA", 0, min_screen=90),
)


def param_page(detail: TaskDetail) -> list[Line]:
    """Parameters, and the task as one would write it."""
    lines = list(param_lines(detail.task))
    if detail.task.family:
        lines += [[], [Piece("  python  ", "dim"), Piece(python_of(detail.task))]]
        lines.append([Piece("  shell   ", "dim"), Piece(command_of(detail.task))])
    return lines


def neighbour_rows(detail: TaskDetail, glyphs: Glyphs, now: float) -> list[Row]:
    """What it was made from, then what was made from it."""
    return [
        Row(
            task.task_hash,
            (
                Cell(sign, "dim"),
                Cell(glyphs.state(task.status), task.status),
                Cell(task.family or "?"),
                Cell(task.task_hash[:8], "dim"),
                Cell(age_text(task.last_started_at, now) or task.status, "dim"),
            ),
        )
        for sign, lineage in ((glyphs.up, detail.upstream), (glyphs.down, detail.downstream))
        for task in lineage
    ]


def run_rows(detail: TaskDetail, glyphs: Glyphs, now: float) -> list[Row]:
    """Its runs, newest first."""
    from superluigi_tui.build_rows import style_of

    return [
        Row(
            run.run_id,
            (
                Cell(glyphs.state(run.status), style_of(run.status)),
                Cell(run.status, style_of(run.status)),
                Cell(age_text(run.started_at, now), "dim"),
                Cell(duration_text(run.duration_s)),
                Cell(f"{run.error_type}: {run.error}" if run.error_type else _reason(run.reason)),
                Cell(params_text(run.metadata), "dim"),
            ),
            value=run,
        )
        for run in detail.runs
    ]


def page_lines(tab: str, detail: TaskDetail, glyphs: Glyphs, now: float) -> list[Line]:
    """One of the pages that are text."""
    pages = {
        "inputs": _inputs,
        "outputs": _outputs,
        "sidecar": _sidecar,
        "source": _source,
        "log": _log,
    }
    return list(pages[tab](detail, glyphs, now)) or [[Piece("Nothing is recorded.", "dim")]]


def python_of(task: Task) -> str:
    """The task as an expression of Python, with its parameters as they are serialised."""
    values = ", ".join(f"{name}={value!r}" for name, value in task.params.items())
    return one_line(f"{task.family}({values})")


def command_of(task: Task) -> str:
    """The command that runs it."""
    return shlex.join(["superluigi", "run", *task_words(task)])


def _reason(reason: object) -> str:
    return str(reason.get("text") or "") if isinstance(reason, dict) else ""


def _inputs(detail: TaskDetail, glyphs: Glyphs, now: float) -> Iterable[Line]:
    families = {task.task_hash: task.family for task in detail.upstream}
    if detail.current is None:
        yield [Piece("No run of it stands; it requires:", "dim")]
        for task in detail.upstream:
            yield [
                Piece(f"  {glyphs.state(task.status)} ", task.status),
                Piece(
                    f"{one_line(task.family) or '?'} {task.task_hash[:8]}  {params_text(task.params)}"
                ),
            ]
        return
    for entry in detail.current.inputs:
        known = detail.inputs.get(entry.uri)
        is_same = known is None or known.fingerprint == entry.fingerprint
        state, word = ("fresh", "as it was read") if is_same else ("stale", "changed since")
        yield [Piece(f" {glyphs.state(state)} {word}  ", state), Piece(entry.uri)]
        maker = families.get(entry.task_hash or "", "")
        yield [
            Piece(
                f"     {one_line(entry.place) or '(single)'}  from {one_line(maker) or 'unknown'} "
                f"{(entry.task_hash or '')[:8]}  {size_text(entry.size_bytes)}",
                "dim",
            )
        ]
        yield [Piece(f"     read {entry.fingerprint}", "dim")]
        if not is_same and known is not None:
            yield [Piece(f"     now  {known.fingerprint or 'not read'}", "stale")]


def _outputs(detail: TaskDetail, glyphs: Glyphs, now: float) -> Iterable[Line]:
    from datetime import datetime, timezone

    for target in detail.targets:
        yield target_line(target, glyphs)
        seen = datetime.fromtimestamp(target.observed_ns / 1e9, timezone.utc).isoformat()
        looked = f"looked at {age_text(seen, now)} ago" if target.observed_ns else "not looked at"
        yield [Piece(f"     {one_line(target.kind)}  {looked}", "dim")]
        yield [Piece(f"     {target.fingerprint or 'content not read'}", "dim")]
        if target.recorded_fingerprint and target.recorded_fingerprint != target.fingerprint:
            yield [Piece(f"     its run wrote {target.recorded_fingerprint}", "stale")]
        if target.error:
            yield [Piece(f"     {target.error}", "failed")]
    if detail.targets:
        yield []
        yield [Piece("What was last seen there, by the records; v looks now, on S3 too.", "dim")]


def _sidecar(detail: TaskDetail, glyphs: Glyphs, now: float) -> Iterable[Line]:
    for path, text in detail.sidecars:
        yield [Piece(path, "accent")]
        if text is None:
            is_remote = "://" in path
            said = "asking the store …" if is_remote else "there is none"
            yield [Piece(f"  {said}; the catalog has of its run:", "dim")]
            told = dict(detail.current.metadata) if detail.current is not None else {}
            text = json.dumps(told)
        style = ""
        try:
            text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            style = "failed"  # no JSON: what could not be read, or why
        for line in text.splitlines():
            yield [Piece(f"  {line}", style)]


def _source(detail: TaskDetail, glyphs: Glyphs, now: float) -> Iterable[Line]:
    from superluigi_tui.sources import source_lines  # parses Python

    code = detail.current.code if detail.current is not None else {}
    return source_lines(code, detail.sources, detail.root)


def _log(detail: TaskDetail, glyphs: Glyphs, now: float) -> Iterable[Line]:
    for line in detail.log.splitlines():
        yield [Piece(line.expandtabs(4), "failed" if "Error" in line[:60] else "")]
