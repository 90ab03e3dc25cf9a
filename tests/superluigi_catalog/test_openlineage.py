"""Runs as OpenLineage events, by the official client, into a file."""

from __future__ import annotations

import json
import sys
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openlineage.client import OpenLineageClient
from openlineage.client.transport.file import FileConfig, FileTransport

from superluigi_catalog import Catalog, CatalogError, CatalogReadOnly, ExportUnavailable
from tests.superluigi_catalog.entries import (
    a_run,
    a_task,
    an_output,
    hash_of,
    record_chain,
    run_id_of,
)


@pytest.fixture
def events(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


@pytest.fixture
def client(events: Path) -> OpenLineageClient:
    transport = FileTransport(FileConfig(log_file_path=str(events), append=True))
    return OpenLineageClient(transport=transport)


def told(events: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in events.read_text().splitlines()]


def test_a_run_is_told_with_what_it_consumed_and_made(
    catalog: Catalog, client: OpenLineageClient, events: Path
) -> None:
    catalog.record_tasks([a_task("a"), a_task("b", ["a"], family="Train", params={"day": "x"})])
    output = replace(an_output("b"), uri="s3://lake/models/b", file_count=3)
    catalog.finish_run(a_run("b", ["a"], outputs=[output], build_id=str(uuid.UUID(int=5))))
    done = catalog.export_openlineage(client, namespace="team")
    assert (done.runs, done.events) == (1, 2)
    start, end = told(events)
    assert (start["eventType"], end["eventType"]) == ("START", "COMPLETE")
    assert start["eventTime"] < end["eventTime"]
    assert start["run"]["runId"] == end["run"]["runId"] == run_id_of("b")
    assert (end["job"]["namespace"], end["job"]["name"]) == ("team", "Train")
    assert end["run"]["facets"]["parent"]["run"]["runId"] == str(uuid.UUID(int=5))
    parameters = end["run"]["facets"]["executionParameters"]["parameters"]
    assert [(each["key"], each["value"]) for each in parameters] == [("day", "x")]
    (read,) = end["inputs"]
    assert read["namespace"] == "file"
    assert read["name"] == str(catalog.project.root / "data/a.csv")
    assert read["facets"]["version"]["datasetVersion"].startswith("sha256:")
    (made,) = end["outputs"]
    assert (made["namespace"], made["name"]) == ("s3://lake", "models/b")
    statistics = made["outputFacets"]["outputStatistics"]
    assert (statistics["size"], statistics["fileCount"]) == (10, 3)
    for event in (start, end):
        assert event["schemaURL"].startswith("https://openlineage.io/spec/")
        assert "superluigi" in event["producer"]


def test_failures_are_told_with_their_traceback(
    catalog: Catalog, client: OpenLineageClient, events: Path
) -> None:
    catalog.record_tasks([a_task("a")])
    catalog.finish_run(a_run("a", status="failed", error="no luck", traceback="Traceback…"))
    catalog.finish_run(a_run("a", number=2, status="interrupted", minute=2, error="gone"))
    catalog.export_openlineage(client)
    ends = [event for event in told(events) if event["eventType"] != "START"]
    assert [event["eventType"] for event in ends] == ["FAIL", "ABORT"]
    error = ends[0]["run"]["facets"]["errorMessage"]
    assert (error["message"], error["stackTrace"]) == ("no luck", "Traceback…")
    assert ends[0]["job"]["namespace"] == "project"


def test_only_what_was_not_told_is_told(
    catalog: Catalog, client: OpenLineageClient, events: Path
) -> None:
    record_chain(catalog, "a", "b")
    catalog.start_run(
        "running", hash_of("a"), build_id=None, reason={}, reasons=(), started_at="2026", owner=""
    )
    catalog.finish_run(a_run("b", number=3, status="unchanged", minute=5))
    assert catalog.export_openlineage(client).runs == 2
    assert catalog.export_openlineage(client).runs == 0
    # A run that began before others that were told already, and ended after them.
    catalog.finish_run(replace(a_run("a", minute=0), run_id="running"))
    assert catalog.export_openlineage(client).runs == 1
    assert len(told(events)) == 6
    assert uuid.UUID(told(events)[-1]["run"]["runId"])
    assert catalog.export_openlineage(client, again=True).runs == 3


def test_a_server_that_refuses_costs_nothing_but_another_try(
    catalog: Catalog, client: OpenLineageClient, events: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setattr(sys.modules["superluigi_catalog.upkeep.openlineage"], "_PORTION", 1)
    record_chain(catalog, "a", "b", "c")
    emit = client.emit

    def refuse(event: Any) -> None:
        if event.run.runId == run_id_of("c"):
            raise ConnectionError("503")
        emit(event)

    monkeypatch.setattr(client, "emit", refuse)
    with pytest.raises(CatalogError, match=r"ConnectionError: 503\). 2 runs were told"):
        catalog.export_openlineage(client)
    monkeypatch.undo()
    assert catalog.export_openlineage(client).runs == 1
    with (
        Catalog(catalog.path, read_only=True) as reader,
        pytest.raises(CatalogReadOnly),
    ):
        reader.export_openlineage(client, again=True)


def test_without_the_client_it_says_how_to_get_it(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openlineage.client", None)
    with pytest.raises(ExportUnavailable, match=r"superluigi\[openlineage\]"):
        catalog.export_openlineage()
