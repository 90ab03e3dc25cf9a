"""Which conditions a store keeps: tried once with an object of our own, and written down for the project.

A store that ignores `If-Match` or `If-None-Match` answers as one that keeps them and had nothing to refuse, so
only an attempt that must be refused tells. Where it is not refused, writers look before and after they write.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from superluigi.files import replace_file
from superluigi.project import current_project
from superluigi.s3.client import store_identity
from superluigi.s3.errors import error_code, is_missing, is_precondition
from superluigi.s3.uri import MAX_KEY_BYTES

__all__ = ["PROBE_NAME", "Capabilities", "capabilities_of", "is_not_known", "probe_store"]

PROBE_NAME = ".superluigi-probe-"
"""The probe's name begins so; it exists for a moment beside what is about to be written."""

_FORMAT = "superluigi-store/1"
_NOT_KNOWN = {"501", "NotImplemented"}


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a store was found to do."""

    if_none_match: bool | None = None
    """Whether a PUT is refused where something stands already; None where that could not be tried."""
    if_match: bool | None = None
    """Whether a PUT is refused over another version."""

    def keep(self, conditions: Iterable[str]) -> bool | None:
        """Whether all of `IfMatch`, `IfNoneMatch` are kept; None where that is not known."""
        found = {"IfNoneMatch": self.if_none_match, "IfMatch": self.if_match}
        asked = [found[name] for name in conditions]
        return False if False in asked else None if None in asked else True


_AMAZON = Capabilities(if_none_match=True, if_match=True)
_known: dict[str, Capabilities] = {}


def capabilities_of(client: Any, bucket: str, key: str) -> Capabilities:
    """What the client's store does, from memory, from the project's notes, else by four requests.

    Args:
        key: Where the caller is about to write: the probe has a name beside it.
    """
    store = store_identity(client)
    if "://" not in store:
        return _AMAZON
    if store not in _known:
        found = _read(store)
        if found is None:
            found = probe_store(client, bucket, key)
        _known[store] = found
    return _known[store]


def probe_store(client: Any, bucket: str, key: str) -> Capabilities:
    """Try it anew, and write down what was found."""
    place = {"Bucket": bucket, "Key": _probe_key(key)}
    try:
        put = client.put_object(**place, Body=b"Super Luigi tries conditions.\n")
    except Exception:
        return Capabilities()  # the write that follows will say why
    try:
        found = Capabilities(
            if_none_match=_is_refused(client, place, IfNoneMatch="*"),
            if_match=_is_refused(client, place, IfMatch="0" * 32),
        )
    finally:
        version = {"VersionId": put["VersionId"]} if put.get("VersionId") else {}
        with contextlib.suppress(Exception):
            client.delete_object(**place, **version)
    if None not in (found.if_none_match, found.if_match):
        _write(store_identity(client), found)
    return found


def is_not_known(error: BaseException) -> bool:
    """Whether the store said that it has no conditions at all."""
    return error_code(error) in _NOT_KNOWN


def _is_refused(client: Any, place: dict[str, str], **condition: str) -> bool | None:
    try:
        client.put_object(**place, **condition, Body=b"Super Luigi tried conditions.\n")
    except Exception as error:
        if is_not_known(error):
            return False
        return True if is_precondition(error) or is_missing(error) else None
    return False


def _probe_key(key: str) -> str:
    name = f"{PROBE_NAME}{secrets.token_hex(8)}"
    folder = key.rpartition("/")[0]
    beside = f"{folder}/{name}" if folder else name
    return beside if len(beside.encode()) <= MAX_KEY_BYTES else name


def _note(store: str) -> Path:
    name = hashlib.sha256(store.encode()).hexdigest()[:32]
    return current_project().ensure_home() / "stores" / f"{name}.json"


def _read(store: str) -> Capabilities | None:
    try:
        document: dict[str, Any] = json.loads(_note(store).read_bytes())
        if document["format"] != _FORMAT or document["store"] != store:
            return None
        found = document["keeps"]
        return Capabilities(bool(found["if_none_match"]), bool(found["if_match"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _write(store: str, found: Capabilities) -> None:
    _known[store] = found
    note = _note(store)
    tried_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    document = {"format": _FORMAT, "store": store, "keeps": asdict(found), "tried_at": tried_at}
    with contextlib.suppress(OSError):  # a full disk costs the next process four requests
        note.parent.mkdir(parents=True, exist_ok=True)
        replace_file(str(note), json.dumps(document).encode())
