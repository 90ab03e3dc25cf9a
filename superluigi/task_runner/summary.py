"""A build's end as a person reads it: what ran and why, what failed and where."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from superluigi.planning.decision import Decision
from superluigi_catalog.text import printable

if TYPE_CHECKING:
    from rich.console import Group

    from superluigi.running.entries import Failure
    from superluigi.task_runner.result import BuildResult

__all__ = ["headline", "summary_lines", "summary_table"]

_MAX_ROWS = 30
_WORD = 40
_LABEL = 34
_SHOWN = ("ran", "unchanged", "shared", "failed", "blocked")
_LOUD = ("output_changed", "code_changed", "input_changed", "adopted")
"""Reasons that a skipped task shows: nothing stale is silent."""
_HASH = re.compile(r"\b[0-9a-f]{32}\b")
_STYLES = {
    "ran": "green",
    "unchanged": "cyan",
    "shared": "cyan",
    "failed": "red",
    "blocked": "red",
    "note": "yellow",
}


def summary_lines(result: BuildResult) -> list[str]:
    """Plain lines: one per task that did something or has something to say, then the counts."""
    lines = [f"{what:<9} {label}  {why}" for what, label, why in _shown(result)]
    for failure in result.failures:
        lines += ["", *_failure_lines(failure)]
    return [*lines, headline(result)]


def summary_table(result: BuildResult) -> Group:
    """The same as a rich table; long labels are cut, reasons wrap; texts are taken literally."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    for what, label, why in _shown(result):
        short = Text(label, no_wrap=True, overflow="ellipsis")
        short.truncate(_LABEL, overflow="ellipsis")
        reason = Text(_short_words(why), overflow="fold")
        table.add_row(Text(what, style=_STYLES.get(what, "")), short, reason)
    tracebacks = [
        Text("\n" + "\n".join(_failure_lines(failure)), style="red") for failure in result.failures
    ]
    style = "bold green" if result.ok else "bold red"
    return Group(table, *tracebacks, Text(headline(result), style=style))


def headline(result: BuildResult) -> str:
    """One line: how it ended, counts, time, the build's id."""
    words = {"skipped": "up to date"}
    parts = [f"{n:,} {words.get(name, name)}" for name, n in result.counts().items()]
    gone = sum(any(r.kind == "missing" for r in d.reasons) for d in result.skipped)
    if gone:
        parts.append(f"{gone:,} of them missing and not needed")
    counts = ", ".join(parts)
    verdict = "ok" if result.ok else "FAILED"
    build = f"  (build {result.build_id})" if result.build_id else ""
    return f"{verdict}: {counts or 'no tasks'} in {result.duration_s:.1f} s{build}"


def _failure_lines(failure: Failure) -> list[str]:
    """Which task, its traceback, where its log is."""
    lines = [failure.label + ":", *failure.traceback.rstrip().splitlines()]
    if failure.log:
        lines.append(f"Its log: {failure.log}")
    return [printable(line) for line in lines]


def _shown(result: BuildResult) -> Iterator[tuple[str, str, str]]:
    rows = [(what, d) for what in _SHOWN for d in getattr(result, what)]
    rows += [("note", d) for d in result.skipped if any(r.kind in _LOUD for r in d.reasons)]
    errors = {failure.task_hash: failure.told for failure in result.failures}
    for what, decision in rows[:_MAX_ROWS]:
        why = errors.get(decision.task_hash) if what == "failed" else _why(what, decision)
        yield what, printable(decision.label), printable(why or "")
    if len(rows) > _MAX_ROWS:
        yield "…", f"{len(rows) - _MAX_ROWS:,} more", ""


def _short_words(text: str) -> str:
    """The text with the middle taken out of long words, which are paths: their ends tell them apart."""
    words = _HASH.sub(lambda found: f"{found.group()[:8]}…", text).split(" ")
    return " ".join(
        f"{word[: _WORD // 2]}…{word[-_WORD // 2 :]}" if len(word) > _WORD else word
        for word in words
    )


def _why(what: str, decision: Decision) -> str:
    if what == "unchanged":
        kinds = {reason.kind for reason in decision.reasons}
        if "identity_changed" not in kinds:
            return "its inputs turned out as they were"
    if what == "shared":
        return "another build made it meanwhile"
    told = [reason.text for reason in decision.reasons if reason.kind != "upstream_runs"]
    return "; ".join(told) or "what it reads was made anew"
