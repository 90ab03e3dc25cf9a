"""`superluigi builds`."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

import click

from superluigi.cli.filters import json_option, limit_option, moment_option, tell_of_more
from superluigi.cli.output import emit, emit_json, emit_table
from superluigi.cli.runs import emit_runs, emit_tracebacks
from superluigi.cli.texts import STATUS_STYLES, minute_text, moment_text, span_text

if TYPE_CHECKING:
    from superluigi_catalog import Catalog
    from superluigi_catalog.results import Build, Run

__all__ = ["command"]


@click.command("builds")
@click.argument("build", required=False)
@moment_option("--since", "Begun then or later")
@click.option("--after", metavar="BUILD", help="Go on after this build, the last one of a list.")
@limit_option(20)
@json_option
def command(
    build: str | None, since: str | None, after: str | None, limit: int, as_json: bool
) -> None:
    """List builds, the newest first; or show one, with its runs and what failed.

    BUILD: its id, or at least eight characters of its beginning.
    """
    from superluigi_catalog import Catalog

    with Catalog(read_only=True) as catalog:
        if build is not None:
            _show(catalog, build, as_json=as_json)
            return
        builds = catalog.builds(since=since, limit=limit, after=after)
    if as_json:
        emit_json([each.to_dict() for each in builds])
        return
    _list(builds)
    if builds:
        tell_of_more(len(builds), limit, builds[-1].build_id)


def _list(builds: Sequence[Build]) -> None:
    emit_table(
        [
            (
                build.status,
                minute_text(build.started_at),
                span_text(build.started_at, build.ended_at),
                build.build_id,
            )
            for build in builds
        ],
        titles=("status", "started", "took", "build"),
        styles=STATUS_STYLES,
        notes=["; ".join(_facts(build)) for build in builds],
    )


def _facts(build: Build) -> Iterable[str]:
    """What became of its tasks, what stopped it, and how it was called."""
    yield _counts(build)
    if build.error:
        yield build.error
    if build.argv:
        yield shlex.join((PurePath(build.argv[0]).name, *build.argv[1:]))


def _counts(build: Build) -> str:
    words = {"skipped": "up to date"}
    counted = ", ".join(
        f"{count:,} {words.get(what, what)}" for what, count in build.counts.items() if count
    )
    if build.status == "running":
        return f"{counted or 'nothing ended'} so far"
    if build.status == "interrupted" and not build.error:
        return f"{counted or 'nothing had run'} when its process ended without a word"
    return counted or ("nothing to do" if build.status == "succeeded" else "nothing ran")


def _show(catalog: Catalog, build_id: str, *, as_json: bool) -> None:
    build = catalog.build(build_id)
    runs = catalog.runs(build=build.build_id, limit=None)
    if as_json:
        emit_json({**build.to_dict(), "runs": [run.to_dict() for run in runs]})
        return
    for line in _headline(build, runs):
        emit(line)
    emit_runs(runs)
    emit_tracebacks(runs)


def _headline(build: Build, runs: Sequence[Run]) -> Iterable[str]:
    ended = build.ended_at and f", took {span_text(build.started_at, build.ended_at)}"
    yield f"{build.build_id}  {build.status}"
    yield f"  started {moment_text(build.started_at)}{ended or ''}, by {build.user}@{build.host}"
    for fact in _facts(build):
        yield f"  {fact}"
    if build.directory:
        yield f"  logs in .superluigi/builds/{build.directory}"
    if runs:
        yield ""
