"""The sidecar's document: built from a run, written and read as bytes.

The format itself (its keys, its limits, what is refused) is the catalog's, which rebuilds from sidecars
without Luigi: `superluigi_catalog.sidecar`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from superluigi.errors import MetadataError, SidecarError
from superluigi_catalog.sidecar import (
    MAX_SIDECAR_BYTES,
    RESERVED_KEYS,
    SIDECAR_FORMAT,
    InvalidSidecar,
    parse_sidecar,
)

if TYPE_CHECKING:
    from superluigi.execution.order import RunOrder
    from superluigi.targets.state import Content

__all__ = [
    "MAX_SIDECAR_BYTES",
    "RESERVED_KEYS",
    "SIDECAR_FORMAT",
    "decode_sidecar",
    "encode_sidecar",
    "output_row",
]

MAX_CONTENTS_ROWS = 1_000
"""Files of a folder named in its sidecar; the fingerprint covers all of them."""

_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
"""One encoder for all: `json.dumps` with options makes a new one for every value."""

_text = json.encoder.encode_basestring
"""What the encoder does with a text."""

_SHARED = frozenset({"code", "environment"})
"""What is one object in the sidecars of all runs of a class in a build."""

_MAX_SHARED = 256
_shared: dict[int, tuple[Any, str]] = {}


def encode_sidecar(document: Mapping[str, Any]) -> bytes:
    """The bytes of a sidecar: UTF-8 JSON, one key a line at top level, so that a person can read it.

    Raises:
        MetadataError: it is larger than `MAX_SIDECAR_BYTES`.
    """
    # As bytes from the start: a hundred thousand inputs are 35 MB of text.
    rows = [_row(key, value) for key, value in document.items()]
    data = b"".join((b"{\n", b",\n".join(rows), b"\n}\n"))
    if len(data) > MAX_SIDECAR_BYTES:
        largest = max(zip(rows, document, strict=True), key=lambda row: len(row[0]))[1]
        message = (
            f"The sidecar would be {len(data):,} bytes, more than {MAX_SIDECAR_BYTES:,}; the largest part "
            f"is {largest!r}. Metadata is for figures and notes: write larger things to a file of the "
            "task's output."
        )
        raise MetadataError(message)
    return data


def _row(key: str, value: Any) -> bytes:
    if type(value) is str:
        text = _text(value)
    else:
        text = _shared_json(value) if key in _SHARED else _json(value)
    return f" {_text(key)}: {text}".encode("utf-8", "surrogatepass")


def _shared_json(value: Any) -> str:
    known = _shared.get(id(value))
    if known is None:
        if len(_shared) >= _MAX_SHARED:
            _shared.clear()
        # With the object itself: while it is kept, no other one has its id.
        known = _shared[id(value)] = (value, _json(value))
    return known[1]


def decode_sidecar(data: bytes, *, path: str) -> dict[str, Any]:
    """A sidecar's document.

    Raises:
        SidecarError: malformed, too large, or of a newer format.
    """
    try:
        return parse_sidecar(data, path=path)
    except InvalidSidecar as error:
        raise SidecarError(str(error), path=path) from error


def output_row(kind: str, place: str, path: str, content: Content) -> dict[str, Any]:
    """The `output` of a sidecar, but for what only publishing knows."""
    row: dict[str, Any] = {
        "type": kind,
        "place": place,
        "path": path,
        "fingerprint": content.fingerprint,
        "size_bytes": content.size_bytes,
        "siblings": [],
    }
    if content.file_count is not None:
        row["file_count"] = content.file_count
        row["contents"] = [
            {"path": entry.path, "size_bytes": entry.size_bytes, "fingerprint": entry.digest}
            for entry in content.contents[:MAX_CONTENTS_ROWS]
        ]
    return row


def running_document(order: RunOrder, family: str, owner: str, state: str) -> dict[str, Any]:
    """What `<sidecar>.next` says while a task writes in place."""
    return {
        "format": SIDECAR_FORMAT,
        "state": state,
        "task_hash": order.task_hash,
        "family": family,
        "run_id": order.run_id,
        "build_id": order.build_id,
        "owner": owner,
    }
