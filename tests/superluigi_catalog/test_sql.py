"""The catalog read with other tools: views, foreign keys, search, and what Datasette is told."""

from __future__ import annotations

import json
import sqlite3

import pytest
from sqlite_utils import Database

from superluigi_catalog import Catalog
from superluigi_catalog.datasette import datasette_metadata
from tests.superluigi_catalog.entries import (
    a_run,
    a_task,
    fingerprint_of,
    hash_of,
    record_chain,
    seen,
)


@pytest.fixture
def db(catalog: Catalog) -> Database:
    record_chain(catalog, "a", "b", "c")
    catalog.record_tasks([a_task("d", ["c"], family="Train")])
    catalog.finish_run(a_run("d", status="failed", error_type="ValueError", error="bad", minute=9))
    catalog.observe([seen("a", "edited")])
    path = catalog.path
    catalog.close()
    return Database(sqlite3.connect(path))


def test_foreign_keys_and_search_are_found_by_sqlite_utils(db: Database) -> None:
    keys = {(key.column, key.other_table) for key in db["runs"].foreign_keys}  # type: ignore[union-attr]
    assert {("task_id", "tasks"), ("build_id", "builds"), ("code_id", "code")} <= keys
    assert db["tasks"].detect_fts() == "tasks_fts"  # type: ignore[union-attr]
    (found,) = db["tasks"].search("train")  # type: ignore[union-attr]
    assert found["hash"] == hash_of("d")
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []


def test_the_views_say_what_the_documents_say(db: Database) -> None:
    assert {
        "task_overview",
        "run_overview",
        "target_overview",
        "lineage",
        "consumption",
        "stale_inputs",
    } <= {*db.view_names()}
    (run,) = db.query("SELECT * FROM run_overview WHERE status = 'failed'")
    assert (run["family"], run["task"], run["error"], run["reason"]) == (
        "Train",
        hash_of("d"),
        "bad",
        "no output yet",
    )
    (target,) = db.query("SELECT * FROM target_overview WHERE uri = 'data/a.csv'")
    assert (target["is_as_made"], target["task"]) == (0, hash_of("a"))
    (read,) = db.query("SELECT * FROM consumption WHERE task = ?", [hash_of("b")])
    assert (read["fingerprint"], read["made_by_task"]) == (fingerprint_of("a1"), hash_of("a"))
    (stale,) = db.query("SELECT * FROM stale_inputs")
    assert (stale["hash"], stale["uri"]) == (hash_of("b"), "data/a.csv")
    assert [
        row["upstream"] for row in db.query("SELECT * FROM lineage WHERE task = ?", [hash_of("c")])
    ] == [hash_of("b")]


def test_datasette_is_told_of_tables_and_columns_that_there_are(db: Database) -> None:
    (database,) = datasette_metadata("catalog")["databases"].values()
    there = {*db.table_names(), *db.view_names()}
    assert set(database["tables"]) <= there
    for name, about in database["tables"].items():
        columns = {column.name for column in db[name].columns}
        named = {*about.get("columns", ()), *about.get("facets", ())}
        named |= {about[key] for key in ("label_column", "sort_desc", "fts_pk") if key in about}
        assert named <= columns, name
    assert {name for name in there if "_fts" not in name} - set(database["tables"]) <= {
        "code",
        "environments",
        "leases",
        "task_targets",
    }


def test_the_questions_for_datasette_are_answered(db: Database) -> None:
    (database,) = datasette_metadata("catalog")["databases"].values()
    values = {"hash": hash_of("c")[:8], "fingerprint": fingerprint_of("a1")[:20]}
    answers = {
        name: list(db.query(query["sql"], values)) for name, query in database["queries"].items()
    }
    assert {row["hash"] for row in answers["upstream"]} == {hash_of(name) for name in "abc"}
    assert {row["hash"] for row in answers["downstream"]} == {hash_of("c"), hash_of("d")}
    assert [row["task"] for row in answers["who_made"]] == [hash_of("a")]
    assert [row["error"] for row in answers["failures"]] == ["bad"]
    assert answers["slowest_families"][0]["runs"] == 3
    json.dumps(database)
