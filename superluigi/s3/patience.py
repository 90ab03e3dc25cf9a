"""Going on where botocore gives up: it stops after eight tries, or at once where many requests fail together.

Amazon answers 503 (SlowDown) while it makes room for a busy prefix, which takes a minute or two, and asks to
wait. botocore's own pauses before a HEAD, whose refusal has no body, add up to three seconds.
"""

from __future__ import annotations

import logging
import random
import time
from typing import Any

__all__ = ["be_patient"]

_OVERLOADED = {429, 503}
_BROKEN = {500, 502, 504}
_TRIES_OVERLOADED = 16
_TRIES_BROKEN = 8
_LONGEST_PAUSE_S = 15.0
_SAY_EVERY_S = 10.0

_log = logging.getLogger("superluigi.s3")
_said_at = -_SAY_EVERY_S


def be_patient(client: Any) -> None:
    """Let a client repeat what the store could not serve, with pauses of up to 15 s, for two minutes or so."""
    client.meta.events.register_last("needs-retry.s3", _pause_before_next)


def _pause_before_next(
    *, attempts: int, operation: Any, response: Any = None, **_: Any
) -> float | None:
    """Seconds until the next try; None for none. Where botocore wants one, its pause counts."""
    status = response[0].status_code if response is not None else 0
    tries = (
        _TRIES_OVERLOADED if status in _OVERLOADED else _TRIES_BROKEN if status in _BROKEN else 0
    )
    if attempts >= tries:
        return None
    pause_s = min(_LONGEST_PAUSE_S, 2.0 ** (attempts - 1)) * random.uniform(0.5, 1)
    if attempts >= _TRIES_BROKEN:
        _say(f"The store answers {status} to {operation.name}; try {attempts + 1} of {tries}.")
    return pause_s


def _say(message: str) -> None:
    """Once for many threads."""
    global _said_at
    now = time.monotonic()
    if now - _said_at >= _SAY_EVERY_S:
        _said_at = now
        _log.warning(message)
