"""A build as lines: its head, its bar, its tasks, its failure."""

from __future__ import annotations

import re
from collections.abc import Callable

from superluigi_catalog import Build
from superluigi_tui.actions import Action, action_named
from superluigi_tui.build_events import BuildProgress, TaskProgress
from superluigi_tui.build_rows import build_title, seconds_between, style_of
from superluigi_tui.glyphs import Glyphs
from superluigi_tui.texts import duration_text, one_line, params_text
from superluigi_tui.widgets.pieces import Cell, Column, Line, Piece
from superluigi_tui.widgets.row_list import Row

__all__ = ["TASK_COLUMNS", "bar_line", "failure_lines", "head_line", "task_rows"]

TASK_COLUMNS = (Column("", 1), Column("", 0), Column("", 9), Column("", 6, right=True))

_STYLES = {"blocked": "missing", "waiting": "dim", "maybe": "dim", "running": "running"}
_FRAME = re.compile(r'File "([^"]+)", line (\d+), in (\S+)')


def head_line(build: Build, progress: BuildProgress, glyphs: Glyphs, now: float) -> Line:
    """Which build, how far, since when, where."""
    status = progress.status if progress.tasks or build.status == "running" else build.status
    took = seconds_between(
        progress.started_at or build.started_at, progress.ended_at or build.ended_at, now
    )
    if status == "interrupted" and not progress.ended_at:
        took = None
    facts = [f"{progress.done}/{len(progress.tasks)}", duration_text(took)]
    workers = build.arguments.get("num_workers")
    facts.append(f"workers {workers}" if workers else "")
    facts.append(f"pid {progress.pid}" if status == "running" and progress.pid else "")
    return [
        Piece(f" {glyphs.state(status)} {status.upper()}  ", style_of(status)),
        Piece("  ".join(filter(None, facts))),
        Piece(f"  {build_title(build)}", "bold"),
    ]


def bar_line(progress: BuildProgress, glyphs: Glyphs, width: int) -> Line:
    """How much is done, and how long the rest may take."""
    count = len(progress.tasks)
    share = progress.done / count if count else 1.0
    failed = len(progress.with_status("failed"))
    blocked = len(progress.with_status("blocked"))
    said = f" {share:.0%}"
    said += f"  {failed} failed" if failed else ""
    said += f"  {blocked} blocked" if blocked else ""
    remaining = progress.remaining_s()
    if progress.status == "running" and remaining is not None:
        said += f"  about {duration_text(remaining)} left"
    room = max(8, width - len(said) - 3)
    full = round(room * share)
    style = "failed" if failed else "fresh"
    return [
        Piece(" "),
        Piece(glyphs.bar_full * full, style),
        Piece(glyphs.bar_empty * (room - full), "dim"),
        Piece(said),
    ]


def task_rows(progress: BuildProgress, glyphs: Glyphs) -> list[Row]:
    """The tasks in the order of the plan."""
    return [
        Row(
            task.task_hash,
            (
                Cell(glyphs.state(task.status), _style(task)),
                Cell(f"{task.family} {params_text(task.params)}"),
                Cell(_word(task), _style(task)),
                Cell(_took(task), "dim"),
            ),
        )
        for task in progress.tasks.values()
    ]


def failure_lines(
    task: TaskProgress, blocked: int, cwd: str, since: str, key_of: Callable[[Action], str]
) -> list[Line]:
    """The error, where it was raised, and what to do."""
    frames = _FRAME.findall(task.traceback.replace(f"{cwd}/", "") if cwd else task.traceback)
    where = f"   {frames[-1][0]}:{frames[-1][1]} in {frames[-1][2]}" if frames else ""
    keys: list[Piece] = []
    for action_id, words in (
        ("editor", "editor"),
        ("debug", "debugger in this terminal"),
        ("rerun", f"retry: this and {blocked} blocked" if blocked else "retry"),
        ("copy", "copy traceback"),
    ):
        keys += [Piece(f"{key_of(action_named(action_id))} ", "accent"), Piece(f"{words}   ")]
    return [
        [
            Piece(f"{task.error_type}: {one_line(task.error)}", "failed"),
            Piece(one_line(where), "dim"),
        ],
        [Piece(f"since its last good run: {since}" if since else f"why it ran: {task.why}", "dim")],
        keys,
    ]


def _style(task: TaskProgress) -> str:
    return _STYLES.get(task.status) or style_of(task.status)


def _word(task: TaskProgress) -> str:
    if task.status == "running" and task.percentage is not None:
        return f"{task.percentage:.0f} %"
    return {"succeeded": "ok", "failed": "FAILED"}.get(task.status, task.status)


def _took(task: TaskProgress) -> str:
    if task.duration_s is not None:
        return duration_text(task.duration_s)
    return f"~{duration_text(task.estimate_s)}" if task.estimate_s is not None else ""
