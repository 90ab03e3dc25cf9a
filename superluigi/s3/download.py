"""Reading an object so that what arrives is what the store holds, of one version, whole.

One GET brings a small object. A large one begins with the same GET, whose stream is left after the first
part; the others come as ranges in threads, each bound to the first answer's ETag, so that a version is
never mixed with its successor. What arrived is then compared with what is known of the object.
"""

from __future__ import annotations

import contextlib
import errno
import os
import random
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from superluigi.errors import ObjectChanged, SyncFailed, TargetError
from superluigi.s3.errors import READ, s3_errors
from superluigi.s3.objects import Downloaded, ObjectStat, stat_from_response
from superluigi.s3.parallel import in_threads
from superluigi.s3.transfers import note_expected, note_moved
from superluigi.s3.uri import format_uri
from superluigi.s3.verify import BrokenTransfer, verified

__all__ = ["PART_BYTES", "RANGED_FROM_BYTES", "download_bytes", "download_file"]

RANGED_FROM_BYTES = 64 << 20
PART_BYTES = 32 << 20
_PART_THREADS = 8
_CHUNK_BYTES = 1 << 20
_ATTEMPTS = 5
_FIRST_PAUSE_S = 0.1

_Result = TypeVar("_Result")


def download_file(client: Any, request: Mapping[str, str], path: str) -> Downloaded:
    """Bring the object of a GetObject request to `path`, which appears complete or not at all.

    Raises:
        TargetMissing: there is no such object.
        ObjectChanged: it is not the version of `IfMatch`, or was overwritten during every try.
        SyncFailed: what arrived never was what the store holds.
        TargetError: no space left.
    """
    final = Path(path)
    part = final.parent / f".superluigi-{secrets.token_hex(8)}.part"

    def bring() -> Downloaded:
        return verified(_write_to(client, request, part), part)

    try:
        downloaded = _persistently(request, bring)
        part.replace(final)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        uri = _uri(request)
        message = (
            f"No space left in {str(final.parent)!r} for {uri!r}. "
            "Free some, or move SUPERLUIGI_HOME to a larger disk."
        )
        raise TargetError(message, target=uri) from error
    finally:
        part.unlink(missing_ok=True)
    return downloaded


def download_bytes(
    client: Any, request: Mapping[str, str], *, max_bytes: int | None = None
) -> tuple[bytes, ObjectStat]:
    """The object of a GetObject request, verified; of one beyond `max_bytes`, its beginning, unverified.

    Raises:
        TargetMissing: there is no such object.
        SyncFailed: what arrived never was what the store holds.
    """

    def bring() -> tuple[bytes, ObjectStat]:
        response = client.get_object(**request)
        with contextlib.closing(response["Body"]) as body:
            stat = stat_from_response(request["Bucket"], request["Key"], response)
            data = b"".join(_chunks(body, max_bytes))
        if max_bytes is None or stat.size_bytes <= max_bytes:
            verified(stat, data)
        return data, stat

    return _persistently(request, bring)


def _persistently(request: Mapping[str, str], bring: Callable[[], _Result]) -> _Result:
    """Try again what broke on the way, and what was overwritten on the way."""
    overwritten, last = False, ""
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_FIRST_PAUSE_S * 2**attempt * random.random())
        try:
            with s3_errors(READ, request["Bucket"], request["Key"]):
                return bring()
        except BrokenTransfer as error:
            overwritten, last = False, str(error)
        except ObjectChanged:
            if "IfMatch" in request:
                raise
            overwritten = True
    uri = _uri(request)
    if overwritten:
        message = (
            f"{uri!r} was overwritten during each of {_ATTEMPTS} downloads. "
            "Let whatever writes it finish, and try again."
        )
        raise ObjectChanged(message, target=uri)
    message = (
        f"{uri!r} did not arrive whole in {_ATTEMPTS} downloads ({last}). "
        "Check the network and the store; nothing of it was kept."
    )
    raise SyncFailed(message, target=uri)


def _write_to(client: Any, request: Mapping[str, str], part: Path) -> ObjectStat:
    response = client.get_object(**request, ChecksumMode="ENABLED")
    with contextlib.closing(response["Body"]) as body:
        stat = stat_from_response(request["Bucket"], request["Key"], response)
        note_expected(stat.size_bytes)
        in_ranges = stat.size_bytes >= RANGED_FROM_BYTES and bool(stat.etag)
        with part.open("wb") as file:
            if in_ranges:
                _reserve(file.fileno(), stat.size_bytes)
            for chunk in _chunks(body, PART_BYTES if in_ranges else None):
                file.write(chunk)
                note_moved(len(chunk))
            file.flush()
            if in_ranges:
                body.close()  # the rest of this stream comes in the other parts
                _fetch_ranges(client, request, stat, file.fileno())
    return stat


def _fetch_ranges(
    client: Any, request: Mapping[str, str], stat: ObjectStat, descriptor: int
) -> None:
    bound = {**request, "IfMatch": f'"{stat.etag}"'}
    if stat.version_id is not None:
        bound["VersionId"] = stat.version_id

    def fetch(start: int) -> None:
        end = min(start + PART_BYTES, stat.size_bytes)
        response = client.get_object(**bound, Range=f"bytes={start}-{end - 1}")
        offset = start
        with contextlib.closing(response["Body"]) as body:
            for chunk in _chunks(body, end - start):
                _write_at(descriptor, chunk, offset)
                note_moved(len(chunk))
                offset += len(chunk)
        if offset != end:
            message = f"{end - offset} bytes are missing at {offset}"
            raise BrokenTransfer(message)

    in_threads(fetch, range(PART_BYTES, stat.size_bytes, PART_BYTES), threads=_PART_THREADS)


def _chunks(body: Any, max_bytes: int | None) -> Iterator[bytes]:
    left = max_bytes
    while left is None or left > 0:
        chunk = _read(body, _CHUNK_BYTES if left is None else min(_CHUNK_BYTES, left))
        if not chunk:
            return
        if left is not None:
            left -= len(chunk)
        yield chunk


def _read(body: Any, amount: int) -> bytes:
    from botocore.exceptions import BotoCoreError
    from urllib3.exceptions import HTTPError

    try:
        return bytes(body.read(amount))
    except (BotoCoreError, HTTPError, OSError) as error:
        message = f"{type(error).__name__}: {error}"
        raise BrokenTransfer(message) from error


def _write_at(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written


def _reserve(descriptor: int, size_bytes: int) -> None:
    """Fail now rather than after an hour when the disk is too small, where the platform can tell."""
    allocate = getattr(os, "posix_fallocate", None)
    if allocate is None:
        return
    try:
        allocate(descriptor, 0, size_bytes)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise


def _uri(request: Mapping[str, str]) -> str:
    return format_uri(request["Bucket"], request["Key"])
