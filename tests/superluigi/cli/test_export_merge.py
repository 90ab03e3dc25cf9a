from __future__ import annotations

import json
from pathlib import Path

from superluigi.cli.errors import ExitCode


def test_a_catalog_is_exported_and_merged_elsewhere(project):
    project.call("run", "flows.Total", "--n", "4")
    result = project.call("export", "copy.db")
    assert (result.exit_code, result.stdout.split()[0]) == (0, "copy.db")
    again = project.call("export", "copy.db")
    assert again.exit_code == ExitCode.REFUSED
    assert "exists already" in again.stderr
    assert project.call("export", "--replace", "--json", "copy.db").exit_code == 0
    Path(".superluigi/catalog.db").unlink()
    result = project.call("merge", "copy.db")
    assert result.stdout.startswith("new: 2 tasks, 2 runs, 1 builds, 2 targets; ")
    assert json.loads(project.call("merge", "--json", "copy.db").stdout)["tasks"] == 0
    assert len(project.call("tasks").stdout.splitlines()) == 2
    assert project.call("merge", "nowhere.db").exit_code == ExitCode.NOT_FOUND


def test_a_lineage_server_is_told_where_its_client_is_configured(project, monkeypatch):
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__TYPE", "file")
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__LOG_FILE_PATH", "events.jsonl")
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__APPEND", "true")
    project.call("run", "flows.Total", "--n", "4")
    result = project.call("export", "--openlineage", "--namespace", "team")
    assert (result.exit_code, result.stdout) == (0, "told of 2 runs in 4 events\n")
    events = [json.loads(line) for line in Path("events.jsonl").read_text().splitlines()]
    assert [(e["eventType"], e["job"]["name"], e["job"]["namespace"]) for e in events] == [
        ("START", "Numbers", "team"),
        ("COMPLETE", "Numbers", "team"),
        ("START", "Total", "team"),
        ("COMPLETE", "Total", "team"),
    ]
    assert json.loads(project.call("export", "--openlineage", "--json").stdout)["runs"] == 0


def test_export_takes_one_of_two_ways(project):
    project.make_catalog()
    for arguments in (
        [],
        ["x.db", "--openlineage"],
        ["x.db", "--again"],
        ["x.db", "--namespace", "n"],
    ):
        assert project.call("export", *arguments).exit_code == ExitCode.USAGE
