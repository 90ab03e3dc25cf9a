"""The connection to luigid."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Any

from luigi.configuration import get_config

from superluigi.errors import SchedulerUnreachable

__all__ = ["connected_scheduler"]

_PROBE_TIMEOUT_S = 5


def connected_scheduler(url: str | None) -> Any:
    """Luigi's client of the central scheduler, which was seen to answer.

    Args:
        url: `http://host:port`; from Luigi's configuration unless given.

    Raises:
        SchedulerUnreachable: at once, instead of after Luigi's own minute of retries.
    """
    from luigi.rpc import RemoteScheduler

    address = (url or _configured_url()).rstrip("/")
    try:
        with urllib.request.urlopen(
            f"{address}/api/task_list?data=%7B%7D", timeout=_PROBE_TIMEOUT_S
        ):
            pass
    except urllib.error.HTTPError:
        pass  # it answers; what it makes of this question does not matter
    except (OSError, ValueError) as error:
        message = (
            f"The central scheduler at {address} does not answer ({error}). Start luigid there, name "
            "another scheduler_url, or leave central_scheduler out."
        )
        raise SchedulerUnreachable(message) from error
    return RemoteScheduler(address)


def _configured_url() -> str:
    config = get_config()
    url = config.get("core", "default-scheduler-url", "")
    if url:
        return str(url)
    host = config.get("core", "default-scheduler-host", "localhost")
    port = config.get("core", "default-scheduler-port", "8082")
    return f"http://{host}:{port}"
