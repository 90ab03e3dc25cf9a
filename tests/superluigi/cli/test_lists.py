"""Lists of tasks, runs and builds: their filters, their pages, how they look."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

import pytest
from rich.text import Text

from superluigi.cli.errors import ExitCode
from superluigi.cli.texts import minute_text, span_text
from superluigi_catalog import BuildEntry, Catalog, RunEntry


@pytest.fixture
def built(project):
    for n in ("4", "11"):
        project.call("run", "flows.Numbers", "--n", n)
    project.call("run", "flows.Boom")
    return project


def hashes(project, *options):
    return [
        row["task_hash"] for row in json.loads(project.call("tasks", "--json", *options).stdout)
    ]


def test_tasks_are_chosen_by_ranges(built):
    (small,) = hashes(built, "--param", "n=4")
    (big,) = hashes(built, "--range", "n=5..")
    assert small != big
    assert hashes(built, "--range", "n=4..11") == [big, small]
    assert hashes(built, "--range", "n=..4") == [small]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--range", "n"], "write NAME=LOW..HIGH"),
        (["--range", "n=.."], "write NAME=LOW..HIGH"),
        (["--range", "n=a..b"], "neither a number nor a date"),
        (["--param", "n=4", "--range", "n=1.."], "a condition on 'n' already"),
        (["--since", "soon"], "'soon' is no moment"),
        (["--after", "ffff"], "Nothing is recorded under 'ffff'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_meant_is_refused(built, options, said):
    result = built.call("tasks", *options)
    assert result.exit_code in (ExitCode.USAGE, ExitCode.NOT_FOUND)
    assert said in result.stderr


def test_lists_go_on_where_the_page_before_ended(built):
    seen = hashes(built, "--limit", "1")
    told = built.call("tasks", "--limit", "1")
    assert f"--after {seen[0][:12]}" in told.stderr
    assert hashes(built, "--after", seen[0][:12]) == hashes(built)[1:]
    runs = json.loads(built.call("runs", "--json").stdout)
    rest = json.loads(built.call("runs", "--json", "--after", runs[0]["run_id"]).stdout)
    assert rest == runs[1:]
    builds = json.loads(built.call("builds", "--json").stdout)
    rest = json.loads(built.call("builds", "--json", "--after", builds[0]["build_id"]).stdout)
    assert rest == builds[1:]


def test_runs_are_chosen_by_status_and_show_their_tracebacks(built):
    failed = built.call("runs", "--status", "failed", "--traceback").stdout
    assert failed.splitlines()[0].endswith("ValueError: no luck")
    assert 'raise ValueError("no luck")' in failed
    assert built.call("runs", "--status", "interrupted").stdout == ""
    assert len(json.loads(built.call("runs", "--since", "1h", "--json").stdout)) == 3
    assert built.call("runs", "--since", "2999-01-01").stdout == ""


def test_one_build_is_shown_with_what_failed(built):
    build = json.loads(built.call("builds", "--json", "--limit", "1").stdout)[0]
    shown = built.call("builds", build["build_id"]).stdout
    assert shown.splitlines()[0] == f"{build['build_id']}  failed"
    assert "1 failed" in shown
    assert 'raise ValueError("no luck")' in shown
    document = json.loads(built.call("builds", "--json", build["build_id"]).stdout)
    assert [run["family"] for run in document["runs"]] == ["Boom"]
    assert built.call("builds", "ffffffff").exit_code == ExitCode.NOT_FOUND


def test_statistics_are_printed_and_told_as_json(built):
    text = built.call("stats").stdout
    assert text.startswith("3 runs since ")
    for title in ("families by time", "slowest", "failing", "biggest"):
        assert f"\n{title}\n" in text
    assert "ValueError: no luck" in text
    document = json.loads(built.call("stats", "--json", "--since", "1h").stdout)
    assert document["statuses"] == {"succeeded": 2, "failed": 1}
    empty = built.call("stats", "--since", "2999-01-01")
    assert (empty.stdout, empty.stderr) == ("", "No run is recorded in that time.\n")


def test_datasette_is_told_of_the_catalog(built):
    document = json.loads(built.call("catalog", "datasette-metadata").stdout)
    assert set(document["databases"]["catalog"]["queries"]) >= {
        "upstream",
        "downstream",
        "who_made",
    }


def test_a_blocked_build_says_so(project):
    project.write(
        "blocked",
        "from flows import *\nclass Reads(Total):\n    def requires(self): return Missing()\n",
    )
    assert project.call("run", "blocked.Reads").exit_code == ExitCode.FAILED
    assert "2 blocked" in project.call("builds").stdout


def test_an_interrupted_build_tells_what_it_had_run(project):
    at, build, task = "2026-01-05T08:00:00.000000Z", "b" * 36, "0" * 32
    with Catalog() as catalog:
        catalog.start_build(BuildEntry(build, at, (), argv=("/usr/bin/superluigi", "run")))
        for run in ("1", "2"):
            catalog.start_run(
                run, task, build_id=build, reason={}, reasons=(), started_at=at, owner=""
            )
        catalog.finish_run(RunEntry("1", task, "succeeded", at, at, 1.0, build_id=build))
        assert "1 ran, 1 running so far" in project.call("builds").stdout
        catalog.mark_interrupted(lambda owner: False)
    text = project.call("builds").stdout
    assert text.startswith("interrupted  2026-01-05 08:00Z")
    assert "1 ran, 1 interrupted when its process ended without a word; superluigi run" in text


@pytest.mark.parametrize("command", ["tasks", "runs", "builds", "stats"])
def test_lists_fit_80_columns(built, command):
    ours, theirs = pty.openpty()
    environment = os.environ | {"COLUMNS": "80", "TERM": "xterm"}
    with subprocess.Popen(
        [sys.executable, "-m", "superluigi", command],
        cwd=built.root,
        stdout=theirs,
        env=environment,
    ) as process:
        os.close(theirs)
        written = b""
        while chunk := _read(ours):
            written += chunk
    os.close(ours)
    assert process.returncode == 0
    lines = Text.from_ansi(written.decode()).plain.splitlines()
    assert len(lines) > 3
    assert max(map(len, lines)) <= 80


def _read(number):
    try:
        return os.read(number, 65536)
    except OSError:  # its other end is closed
        return b""


def test_spans_and_minutes_are_short():
    assert minute_text("2026-01-05T08:12:31.123456Z") == "2026-01-05 08:12Z"
    assert minute_text(None) == ""
    assert span_text("2026-01-05T08:00:00.000000Z", "2026-01-05T08:01:15.000000Z") == "1 m 15 s"
    assert span_text("2026-01-05T08:00:00.000000Z", None) == ""
