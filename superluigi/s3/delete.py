"""Removing objects, a thousand in a request, and hearing of each that could not be removed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from typing import Any

from superluigi.errors import AccessDenied, TargetError

__all__ = ["delete_objects"]

_MAX_KEYS = 1000
_SHOWN = 5
# What XML 1.0 cannot hold: such keys are deleted one by one, by their URL.
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def delete_objects(client: Any, bucket: str, keys: Iterable[str]) -> None:
    """Remove objects; those that are not there are no error.

    Raises:
        AccessDenied, TargetError: some could not be removed; all the others were tried.
    """
    failed: list[tuple[str, str]] = []
    remaining = iter(keys)
    while batch := list(islice(remaining, _MAX_KEYS)):
        together = [key for key in batch if not _NOT_IN_XML.search(key)]
        if len(together) == 1:
            together = []
        for key in batch if not together else (set(batch) - set(together)):
            client.delete_object(Bucket=bucket, Key=key)
        if together:
            objects = [{"Key": key} for key in together]
            answer = client.delete_objects(
                Bucket=bucket, Delete={"Objects": objects, "Quiet": True}
            )
            failed += [
                (row.get("Key", "?"), row.get("Code", "?")) for row in answer.get("Errors", ())
            ]
    if failed:
        raise _refused(bucket, failed)


def _refused(bucket: str, failed: list[tuple[str, str]]) -> TargetError:
    shown = ", ".join(f"{key!r} ({code})" for key, code in failed[:_SHOWN])
    more = f" and {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
    message = f"Not removed from 's3://{bucket}': {shown}{more}."
    if all(code == "AccessDenied" for _, code in failed):
        advice = " These credentials lack s3:DeleteObject there. Grant it, or remove them by hand."
        return AccessDenied(message + advice, target=f"s3://{bucket}")
    return TargetError(f"{message} Try again, or remove them by hand.", target=f"s3://{bucket}")
