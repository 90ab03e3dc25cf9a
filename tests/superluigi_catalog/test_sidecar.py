from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

import superluigi_catalog
from superluigi_catalog import InvalidSidecar, SidecarTooNew
from superluigi_catalog.sidecar import (
    MAX_SIDECAR_BYTES,
    RESERVED_KEYS,
    SIDECAR_FORMAT,
    parse_sidecar,
    user_metadata,
    validate_sidecar,
)

PINNED = Path(__file__).with_name("sidecar.json").read_bytes()
DOCUMENT: dict[str, Any] = json.loads(PINNED)
SCHEMA = json.loads(
    Path(superluigi_catalog.__file__).with_name("sidecar.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def changed(**keys: Any) -> dict[str, Any]:
    return DOCUMENT | keys


def encoded(document: Any) -> bytes:
    return json.dumps(document).encode()


def is_valid(document: Any) -> bool:
    try:
        validate_sidecar(document)
    except InvalidSidecar:
        return False
    return True


def test_the_pinned_sidecar_reads_as_it_always_did() -> None:
    assert SIDECAR_FORMAT == "superluigi-sidecar/1"
    assert parse_sidecar(PINNED, path="x.csv.metadata.json") == DOCUMENT


def test_the_shipped_schema_is_one_and_takes_the_pinned_sidecar() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    VALIDATOR.validate(DOCUMENT)


def test_every_reserved_key_is_described_in_the_schema_and_no_other() -> None:
    assert set(SCHEMA["properties"]) == RESERVED_KEYS


def test_what_is_not_reserved_is_the_tasks_own() -> None:
    assert user_metadata(DOCUMENT) == {"row_count": 442}


@pytest.mark.parametrize(
    "document",
    [
        changed(unknown_key={"deep": [1]}, adopted=True, acceptance=None),
        changed(
            acceptance={
                "run_id": "x",
                "by": "me",
                "at": "2026-01-05T08:12:31Z",
                "fingerprint": "sha256:1",
                "inputs": [],
            }
        ),
        changed(dynamic_upstream={"yielded.0": "0" * 32}, state="publishing", build_id=None),
        changed(code=None, reason=None, duration_s=None),
        changed(code={"fingerprint": None, "parts": []}),
        changed(
            output={
                "type": "LocalFolderTarget",
                "place": "a.0",
                "path": "d",
                "fingerprint": "tree-sha256:x",
                "file_count": 1,
                "mtime_ns": 5,
                "etag": None,
                "version_id": None,
                "contents": [{"path": "x", "size_bytes": 1, "fingerprint": "sha256:a", "more": 1}],
                "siblings": [{"place": "b", "path": "e", "fingerprint": None}],
            }
        ),
        {
            "format": SIDECAR_FORMAT,
            "state": "running",
            "task_hash": "0" * 32,
            "family": "F",
            "run_id": "1",
            "owner": "h|b|1|2",
        },
    ],
)
def test_more_keys_may_follow_and_absent_ones_may_be_absent(document: dict[str, Any]) -> None:
    validate_sidecar(document)
    VALIDATOR.validate(document)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "not JSON"),
        (b"\0" * 100, "not JSON"),
        (PINNED[:-20], "not JSON"),
        (b"\xef\xbb\xbf" + PINNED, "not JSON"),
        (PINNED.decode().encode("utf-16"), "not JSON"),
        (b'{"a": "\xff"}', "not JSON"),
        (b"[" * 100_000, "nested"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "nested"),
        (PINNED.replace(b"442", b"NaN"), "NaN"),
        (PINNED.replace(b"442", b"-Infinity"), "Infinity"),
        (PINNED.replace(b"442", b"1e999"), "out of range"),
        (PINNED.replace(b"442", b"9" * 10_000), "not JSON"),
        (b" " * (MAX_SIDECAR_BYTES + 1), "larger"),
        (b"[]", "not a JSON object"),
        (b"{}", '"format"'),
        (encoded(changed(format=1)), '"format"'),
        (encoded(changed(format="other/1")), '"format"'),
        (encoded(changed(task_hash="X" * 32)), '"task_hash"'),
        (encoded(changed(params={"a": 1})), '"params"'),
        (encoded(changed(upstream={"a": "b"})), '"upstream"'),
        (encoded(changed(inputs=[{"place": ""}])), '"inputs"'),
        (encoded(changed(inputs={})), '"inputs"'),
        (encoded(changed(output=[])), '"output"'),
        (encoded(changed(output=DOCUMENT["output"] | {"size_bytes": 2**63})), '"size_bytes"'),
        (encoded(changed(output=DOCUMENT["output"] | {"mtime_ns": True})), '"mtime_ns"'),
        (encoded(changed(duration_s="1")), '"duration_s"'),
        (encoded(changed(state="done")), '"state"'),
        (encoded(changed(started_at="yesterday")), '"started_at"'),
        (encoded({k: v for k, v in DOCUMENT.items() if k != "inputs"}), '"inputs" is missing'),
    ],
)
def test_what_is_broken_is_refused_and_named(data: bytes, found: str) -> None:
    with pytest.raises(InvalidSidecar) as caught:
        parse_sidecar(data, path="data/x.csv.metadata.json")
    assert found in str(caught.value)
    assert "data/x.csv.metadata.json" in str(caught.value)
    assert caught.value.path == "data/x.csv.metadata.json"


def test_a_newer_format_says_to_upgrade() -> None:
    with pytest.raises(SidecarTooNew, match="Upgrade superluigi"):
        parse_sidecar(encoded(changed(format="superluigi-sidecar/2")), path="x")


def test_names_that_are_no_utf8_are_kept() -> None:
    document = changed(output=DOCUMENT["output"] | {"path": "a\udc80\x00.csv"})
    raw = json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")
    assert parse_sidecar(raw, path="x")["output"]["path"] == "a\udc80\x00.csv"
    assert parse_sidecar(encoded(document), path="x")["output"]["path"] == "a\udc80\x00.csv"


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(InvalidSidecar):
        parse_sidecar(data, path="x")


@given(st.integers(0, len(PINNED) - 1), st.binary(min_size=1, max_size=4))
def test_a_damaged_sidecar_is_read_or_refused(position: int, damage: bytes) -> None:
    data = PINNED[:position] + damage + PINNED[position + len(damage) :]
    with contextlib.suppress(InvalidSidecar):
        parse_sidecar(data, path="x")


def paths_into(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, (dict, list)):
        keys = value.keys() if isinstance(value, dict) else range(len(value))
        for key in keys:
            yield (*path, key)
            yield from paths_into(value[key], (*path, key))


PATHS = sorted(paths_into(DOCUMENT), key=repr)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2**65),
    st.floats(-1e6, 1e6).filter(lambda number: not number.is_integer()),
    st.sampled_from(["", "x", "sha256:x", "sha256:", "0" * 32, "running", "publishing", "failed"]),
    st.sampled_from(
        ["superluigi-sidecar/1", "2026-01-05T08:12:31Z", "2026-01-05T08:12:31.1234567Z"]
    ),
    st.just([]),
    st.just({}),
    st.just([{}]),
    st.just([1]),
    st.just({"a": 1}),
    st.just({"a": "0" * 32}),
)


@given(
    st.lists(
        st.tuples(st.sampled_from(PATHS), st.one_of(st.just(...), VALUES)), min_size=1, max_size=3
    ),
    st.sampled_from([None, "running", "publishing"]),
)
def test_the_checks_and_the_schema_agree(
    changes: list[tuple[tuple[Any, ...], Any]], state: str | None
) -> None:
    document = copy.deepcopy(DOCUMENT)
    if state is not None:
        document["state"] = state
    for (*way, last), value in changes:
        place: Any = document
        try:
            for step in way:
                place = place[step]
            if value is ...:
                del place[last]
            else:
                place[last] = value
        except (KeyError, IndexError, TypeError):
            continue
    assert is_valid(document) == VALIDATOR.is_valid(document)
