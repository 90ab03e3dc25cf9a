from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from superluigi_catalog import AcceptanceRefused, Catalog
from superluigi_catalog.sidecar import parse_sidecar
from tests.superluigi_catalog.entries import (
    a_run,
    a_task,
    fingerprint_of,
    hash_of,
    seen,
    sidecar_of,
    uri_of,
)


@pytest.fixture
def stale(catalog: Catalog) -> Catalog:
    """`b` read `a`, whose content is another one now."""
    catalog.record_tasks([a_task("a"), a_task("b", ["a"])])
    catalog.finish_run(a_run("a"))
    catalog.finish_run(a_run("b", ["a"]))
    catalog.observe([seen("a", "2")])
    assert catalog.task(hash_of("b")).status == "stale"
    return catalog


def test_an_accepted_result_is_fresh_and_on_record(stale: Catalog) -> None:
    before = stale.task(hash_of("b")).current_run_id
    acceptance = stale.accept(hash_of("b"), reason="only the order of rows changed")
    assert acceptance.accepted_run_id == before
    assert stale.task(hash_of("b")).status == "fresh"
    run = stale.run(acceptance.run_id)
    assert (run.status, run.reason["kind"]) == ("accepted", "accepted")
    assert run.reason["text"] == "only the order of rows changed"
    assert run.reason["details"]["by"]
    assert run.inputs[0].fingerprint == fingerprint_of("a2")
    assert [each.status for each in stale.runs(hash_of("b"))] == ["accepted", "succeeded"]
    assert [task.task_hash for task in stale.upstream(hash_of("b"))] == [hash_of("a")]
    stale.observe([seen("a", "3")])
    assert stale.task(hash_of("b")).status == "stale"


def test_what_was_accepted_can_be_taken_back(stale: Catalog) -> None:
    before = stale.task(hash_of("b"))
    stale.accept(hash_of("b"), reason="it is right")
    taken_back = stale.withdraw(uri_of("b"))
    assert taken_back.reason == "it is right"
    assert stale.task(hash_of("b")).status == "stale"
    assert stale.task(hash_of("b")).current_run_id == before.current_run_id
    record = stale.target_records([uri_of("b")])[uri_of("b")]
    assert record.run is not None
    assert record.run.run_id == before.current_run_id
    with pytest.raises(AcceptanceRefused, match="was not accepted"):
        stale.withdraw(hash_of("b"))
    assert [each.status for each in stale.runs(hash_of("b"))] == ["withdrawn", "succeeded"]


def test_an_acceptance_of_an_acceptance_is_taken_back_one_at_a_time(stale: Catalog) -> None:
    first = stale.accept(hash_of("b"), reason="one")
    stale.observe([seen("a", "3")])
    second = stale.accept(hash_of("b"), reason="two")
    assert second.accepted_run_id == first.accepted_run_id
    stale.withdraw(hash_of("b"))
    assert stale.task(hash_of("b")).current_run_id == first.run_id


@pytest.mark.parametrize("reason", ["", "  "])
def test_an_acceptance_needs_a_reason(stale: Catalog, reason: str) -> None:
    with pytest.raises(AcceptanceRefused, match="needs a reason"):
        stale.accept(hash_of("b"), reason=reason)


def test_only_what_stands_can_be_accepted(catalog: Catalog) -> None:
    catalog.record_tasks([a_task("a")])
    with pytest.raises(AcceptanceRefused, match="nothing to accept"):
        catalog.accept(hash_of("a"), reason="why not")
    catalog.finish_run(a_run("a"))
    catalog.observe([replace(seen("a", "1"), state="missing", token=None, fingerprint=None)])
    with pytest.raises(AcceptanceRefused, match="is missing"):
        catalog.accept(hash_of("a"), reason="why not")


def test_the_sidecar_says_so_and_survives_the_catalog(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("superluigi.toml").touch()
    task, run = a_task("b", ["a"]), a_run("b", ["a"])
    sidecar = Path(f"{uri_of('b')}.metadata.json")
    sidecar.parent.mkdir(parents=True, exist_ok=True)
    sidecar.write_text(json.dumps(sidecar_of(task, run)))
    with Catalog() as catalog:
        catalog.record_tasks([a_task("a"), task])
        catalog.finish_run(a_run("a"))
        catalog.finish_run(run)
        catalog.observe([seen("a", "2")])
        acceptance = catalog.accept(hash_of("b"), reason="fine")
        assert acceptance.unwritten == ()
        live = catalog.target_records([uri_of("b")])[uri_of("b")].run
    document = parse_sidecar(sidecar.read_bytes(), path=str(sidecar))
    assert document["acceptance"]["reason"] == "fine"
    assert document["inputs"][0]["fingerprint"] == fingerprint_of("a1")
    with Catalog("rebuilt.db") as rebuilt:
        rebuilt.index_sidecar(document, uri=uri_of("b"), kind="LocalFileTarget")
        again = rebuilt.target_records([uri_of("b")])[uri_of("b")].run
        assert rebuilt.withdraw(hash_of("b")).by == acceptance.by
    assert live is not None
    assert again is not None
    assert (again.run_id, again.status, again.inputs) == (live.run_id, "accepted", live.inputs)
    assert again.code_fingerprint == live.code_fingerprint
    with Catalog() as catalog:
        catalog.withdraw(hash_of("b"))
    assert "acceptance" not in json.loads(sidecar.read_text())
