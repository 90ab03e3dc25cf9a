from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from superluigi.errors import MetadataError, SidecarError
from superluigi.execution.metadata import to_json
from superluigi.execution.order import RunOrder
from superluigi.sidecar import (
    MAX_CONTENTS_ROWS,
    MAX_SIDECAR_BYTES,
    decode_sidecar,
    encode_sidecar,
    output_row,
    running_document,
)
from superluigi.targets.state import Content, FileEntry, tree_content
from superluigi_catalog.sidecar import user_metadata
from tests.superluigi.targets.contract import document

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
added = st.dictionaries(texts.map(lambda text: f"x{text}"), values, max_size=5)


@given(metadata=added)
def test_what_a_task_added_survives_the_way_through_a_sidecar(metadata: dict[str, Any]) -> None:
    stored = {key: to_json(value, key) for key, value in metadata.items()}
    again = decode_sidecar(encode_sidecar(document(**stored)), path="x")
    assert user_metadata(again) == stored
    assert list(again) == list(document(**stored))


def test_a_sidecar_has_one_key_a_line_in_utf_8() -> None:
    text = encode_sidecar(document(note="Größe ☃", figures=[1, 2.5, None])).decode("utf-8")
    assert text.startswith('{\n "format": "superluigi-sidecar/1",\n "task_hash": "0000')
    assert text.endswith(',\n "note": "Größe ☃",\n "figures": [1, 2.5, null]\n}\n')
    assert json.loads(text) == document(note="Größe ☃", figures=[1, 2.5, None])


def test_file_names_that_are_no_utf_8_survive() -> None:
    path = b"caf\xe9.csv".decode("utf-8", "surrogateescape")
    row = {**document()["output"], "path": path}
    assert decode_sidecar(encode_sidecar(document(output=row)), path="x")["output"]["path"] == path


def test_a_sidecar_that_is_too_large_is_refused_by_its_largest_part() -> None:
    note = "x" * MAX_SIDECAR_BYTES
    with pytest.raises(MetadataError, match=r"67,\d+,\d+ bytes.*largest part is 'note'"):
        encode_sidecar(document(note=note))


def test_a_newer_format_is_refused_with_its_path() -> None:
    data = encode_sidecar({**document(), "format": "superluigi-sidecar/2"})
    with pytest.raises(SidecarError, match="newer") as caught:
        decode_sidecar(data, path="data/x.metadata.json")
    assert caught.value.path == "data/x.metadata.json"
    assert "data/x.metadata.json" in str(caught.value)


def test_of_a_large_folder_a_limited_number_of_files_is_named() -> None:
    entries = [FileEntry(f"{n:05}", n, f"sha256:{n:064x}") for n in range(MAX_CONTENTS_ROWS + 5)]
    content = tree_content(reversed(entries))
    row = output_row("LocalFolderTarget", "", "x", content)
    assert row["file_count"] == MAX_CONTENTS_ROWS + 5
    assert len(row["contents"]) == MAX_CONTENTS_ROWS
    assert row["contents"][1] == {
        "path": "00001",
        "size_bytes": 1,
        "fingerprint": f"sha256:{1:064x}",
    }
    assert row["fingerprint"] == tree_content(entries).fingerprint


def test_the_row_of_a_file_names_no_contents() -> None:
    row = output_row("LocalFileTarget", "text", "x.txt", Content("sha256:0", 3))
    assert row == {
        "type": "LocalFileTarget",
        "place": "text",
        "path": "x.txt",
        "fingerprint": "sha256:0",
        "size_bytes": 3,
        "siblings": [],
    }


def test_an_announcement_is_a_sidecar_that_is_not_finished() -> None:
    order = RunOrder(run_id="the run", task_hash="a" * 32, build_id=None, reason={}, inputs=None)
    announced = running_document(order, "Family", "host|boot|1|2", "running")
    again = decode_sidecar(encode_sidecar(announced), path="x.next")
    assert again["state"] == "running"
    assert again["owner"] == "host|boot|1|2"
