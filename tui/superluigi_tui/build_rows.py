"""Builds as rows of a list."""

from __future__ import annotations

import shlex
from datetime import datetime

from superluigi_catalog import Build
from superluigi_tui.glyphs import Glyphs
from superluigi_tui.texts import age_text, duration_text, one_line
from superluigi_tui.widgets.pieces import Cell, Column
from superluigi_tui.widgets.row_list import Row

__all__ = ["BUILD_COLUMNS", "build_name", "build_row", "build_title", "seconds_between", "style_of"]

BUILD_COLUMNS = (
    Column("", 1),
    Column("BUILD", 8),
    Column("STATE", 11),
    Column("TASK", 0),
    Column("TASKS", 24, min_screen=96),
    Column("TOOK", 6, right=True),
    Column("AGE", 4, right=True),
)
_SHOWN_DIGITS = 8


def build_name(build_id: str) -> str:
    """What people call a build: ids begin with their time, so the end tells them apart."""
    return one_line(build_id)[-_SHOWN_DIGITS:]


def build_title(build: Build) -> str:
    """What was asked for: the task and options of the command line, else the program."""
    words = list(build.argv)
    for verb in ("run", "demo"):
        if verb in words[:3]:
            return one_line(shlex.join(words[words.index(verb) + 1 :]) or verb)
    return one_line(shlex.join(words)) or "(from Python)"


def build_row(build: Build, now: float, glyphs: Glyphs) -> Row:
    """One build."""
    counts = "  ".join(f"{count} {what}" for what, count in build.counts.items() if count)
    took = seconds_between(build.started_at, build.ended_at, now)
    if build.ended_at is None and build.status != "running":
        took = None
    return Row(
        build.build_id,
        (
            Cell(glyphs.state(build.status), style_of(build.status)),
            Cell(build_name(build.build_id), "dim"),
            Cell(build.status, style_of(build.status)),
            Cell(build_title(build)),
            Cell(build.error or counts, "" if not build.error else "failed"),
            Cell(duration_text(took)),
            Cell(age_text(build.started_at, now), "dim"),
        ),
        value=build,
    )


def style_of(status: str) -> str:
    """The style of a build's or run's status."""
    return {
        "succeeded": "fresh",
        "unchanged": "fresh",
        "adopted": "fresh",
        "shared": "fresh",
        "interrupted": "failed",
        "failed": "failed",
        "running": "running",
    }.get(status, "unknown")


def seconds_between(began: str, ended: str | None, now: float) -> float | None:
    """How long something took, or takes by now; None when a time is not known."""
    try:
        start = datetime.fromisoformat(began.replace("Z", "+00:00")).timestamp()
        end = datetime.fromisoformat(ended.replace("Z", "+00:00")).timestamp() if ended else now
    except ValueError:
        return None
    return end - start
