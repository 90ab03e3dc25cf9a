from __future__ import annotations

from superluigi_catalog import Catalog, Observed, TargetRecord
from tests.superluigi_catalog.entries import KIND, a_run, fingerprint_of, seen, uri_of


def look(catalog: Catalog, name: str = "a") -> TargetRecord:
    return catalog.target_records([uri_of(name)])[uri_of(name)]


def test_a_look_is_remembered_with_the_content_behind_it(catalog: Catalog) -> None:
    catalog.observe([seen("a", observed_ns=7, etag="e", version_id="v")])
    assert look(catalog) == TargetRecord(
        uri=uri_of("a"),
        kind=KIND,
        state="present",
        token="stat:10:5:a:1",
        fingerprint=fingerprint_of("a1"),
        size_bytes=10,
        etag="e",
        version_id="v",
        observed_ns=7,
        run=None,
    )


def test_the_content_stays_known_while_the_token_is_the_same(catalog: Catalog) -> None:
    catalog.observe([seen("a", observed_ns=1)])
    catalog.observe([seen("a", fingerprint=None, observed_ns=2)])
    assert (look(catalog).fingerprint, look(catalog).observed_ns) == (fingerprint_of("a1"), 2)


def test_behind_a_new_token_nobody_knows_the_content(catalog: Catalog) -> None:
    catalog.observe([seen("a", observed_ns=1)])
    catalog.observe([seen("a", "2", fingerprint=None, observed_ns=2)])
    assert (look(catalog).token, look(catalog).fingerprint) == ("stat:10:5:a:2", None)


def test_the_same_bytes_again_are_the_same_content(catalog: Catalog) -> None:
    catalog.observe([seen("a", observed_ns=1)])
    catalog.observe([seen("a", token="stat:other", observed_ns=2)])
    assert look(catalog).fingerprint == fingerprint_of("a1")


def test_a_missing_target_keeps_its_record_and_what_was_last_seen(catalog: Catalog) -> None:
    catalog.finish_run(a_run("a"))
    catalog.observe([seen("a", "2")])
    for _ in range(2):
        catalog.observe([Observed(uri_of("a"), KIND, "missing")])
    record = look(catalog)
    assert (record.state, record.token, record.fingerprint) == (
        "missing",
        None,
        fingerprint_of("a2"),
    )
    assert record.run is not None
    assert record.run.output_fingerprint == fingerprint_of("a1")


def test_an_older_look_does_not_overwrite_a_newer_one(catalog: Catalog) -> None:
    catalog.observe([seen("a", "2", observed_ns=9)])
    catalog.observe([seen("a", "1", observed_ns=8), seen("b", observed_ns=8)])
    assert look(catalog).fingerprint == fingerprint_of("a2")
    assert look(catalog, "b").fingerprint == fingerprint_of("b1")


def test_a_look_that_failed_says_nothing_about_the_content(catalog: Catalog) -> None:
    catalog.observe([seen("a", observed_ns=1)])
    catalog.observe([Observed(uri_of("a"), KIND, "error", error="503", observed_ns=2)])
    record = look(catalog)
    assert (record.state, record.fingerprint) == ("error", fingerprint_of("a1"))
    assert catalog.targets(uri_of("a"))[0].error == "503"
    catalog.observe([seen("a", fingerprint=None, observed_ns=3)])
    assert (look(catalog).state, look(catalog).fingerprint) == ("present", fingerprint_of("a1"))
    assert catalog.targets(uri_of("a"))[0].error is None


def test_a_look_without_a_time_is_from_now(catalog: Catalog) -> None:
    catalog.observe([seen("a")])
    assert look(catalog).observed_ns > 1_700_000_000 * 10**9
