"""Made-up tasks, runs and sidecars, as short as a test can say them."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from superluigi_catalog import (
    BuildEntry,
    Catalog,
    InputEntry,
    Observed,
    OutputEntry,
    RunEntry,
    TaskEntry,
)
from superluigi_catalog.sidecar import SIDECAR_FORMAT

KIND = "LocalFileTarget"
OWNER = "host|boot|1|2"
CODE = {
    "fingerprint": "code1:aa",
    "parts": [
        {
            "name": "flows.Train.run",
            "file": "flows.py",
            "line": 31,
            "fingerprint": "code1:bb",
            "source": "def run(self): ...",
        }
    ],
    "not_followed": [],
}
ENVIRONMENT = {"python": "3.11.7", "packages": {"pandas": "2.2.3"}}


def hash_of(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def fingerprint_of(content: str) -> str:
    return f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"


def uri_of(name: str) -> str:
    return f"data/{name}.csv"


def at(minute: float) -> str:
    seconds = round(minute * 60)
    return f"2026-01-05T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.000000Z"


def a_task(
    name: str,
    upstream: Mapping[str, str] | Sequence[str] = (),
    *,
    family: str = "Step",
    params: Mapping[str, str] | None = None,
    outputs: Sequence[tuple[str, str, str]] | None = None,
    **more: Any,
) -> TaskEntry:
    """A task with one output; upstream by name, or as {place: name}."""
    named = dict(upstream) if isinstance(upstream, Mapping) else {up: up for up in upstream}
    return TaskEntry(
        task_hash=hash_of(name),
        family=family,
        module="flows.steps",
        params={"name": name} if params is None else params,
        upstream=tuple((place, hash_of(up)) for place, up in named.items()),
        outputs=(("", uri_of(name), KIND),) if outputs is None else tuple(outputs),
        **more,
    )


def run_id_of(name: str, number: int = 1) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name}/{number}"))


def an_input(up: str, content: str = "1", place: str | None = None, number: int = 1) -> InputEntry:
    return InputEntry(
        place=up if place is None else place,
        uri=uri_of(up),
        kind=KIND,
        fingerprint=fingerprint_of(up + content),
        size_bytes=10,
        task_hash=hash_of(up),
        run_id=run_id_of(up, number),
    )


def an_output(name: str, content: str = "1", place: str = "", **more: Any) -> OutputEntry:
    return OutputEntry(
        place=place,
        uri=uri_of(name),
        kind=KIND,
        fingerprint=fingerprint_of(name + content),
        size_bytes=10,
        mtime_ns=5,
        token=f"stat:10:5:{name}:{content}",
        **more,
    )


def a_run(
    name: str,
    inputs: Sequence[InputEntry | str] = (),
    *,
    number: int = 1,
    content: str = "1",
    status: str = "succeeded",
    minute: float = 1,
    outputs: Sequence[OutputEntry] | None = None,
    **more: Any,
) -> RunEntry:
    """A run of the task of that name, with its one output."""
    if outputs is None:
        outputs = () if status in ("failed", "interrupted") else (an_output(name, content),)
    return RunEntry(
        **{
            "run_id": run_id_of(name, number),
            "task_hash": hash_of(name),
            "status": status,
            "started_at": at(minute),
            "ended_at": at(minute + 0.5),
            "duration_s": 30.0,
            "reason": {"kind": "missing", "text": "no output yet", "details": {}},
            "inputs": tuple(an_input(each) if isinstance(each, str) else each for each in inputs),
            "outputs": tuple(outputs),
            "owner": OWNER,
            **more,
        }
    )


def a_build(number: int = 1, **more: Any) -> BuildEntry:
    return BuildEntry(
        **{
            "build_id": f"build-{number}",
            "started_at": at(number),
            "roots": (hash_of("root"),),
            "owner": OWNER,
            **more,
        }
    )


def seen(name: str, content: str | None = "1", state: str = "present", **more: Any) -> Observed:
    """A look at a target; with no content it is missing."""
    if state == "missing" or content is None:
        return Observed(uri_of(name), KIND, state, **more)
    return Observed(
        uri_of(name),
        KIND,
        state,
        **{
            "token": f"stat:10:5:{name}:{content}",
            "fingerprint": fingerprint_of(name + content),
            "size_bytes": 10,
            "mtime_ns": 5,
            **more,
        },
    )


def record_chain(catalog: Catalog, *names: str) -> None:
    """Tasks in a row, each requiring the one before, all run."""
    catalog.record_tasks(
        a_task(name, names[index - 1 : index] if index else ()) for index, name in enumerate(names)
    )
    for index, name in enumerate(names):
        catalog.finish_run(a_run(name, names[index - 1 : index] if index else (), minute=index))


def sidecar_of(task: TaskEntry, run: RunEntry, output: OutputEntry | None = None) -> dict[str, Any]:
    """The document beside one output of a run."""
    output = output or run.outputs[0]
    code = run.code and {
        **run.code,
        "parts": [
            {key: value for key, value in part.items() if key != "source"}
            for part in run.code["parts"]
        ],
    }
    document: dict[str, Any] = {
        "format": SIDECAR_FORMAT,
        "task_hash": task.task_hash,
        "family": task.family,
        "module": task.module,
        "params": dict(task.params),
        "insignificant_params": dict(task.insignificant_params),
        "upstream": dict(task.upstream),
        "inputs": [
            {
                "place": each.place,
                "path": each.uri,
                "type": each.kind,
                "fingerprint": each.fingerprint,
                "size_bytes": each.size_bytes,
                "etag": each.etag,
                "version_id": each.version_id,
                "task_hash": each.task_hash,
                "run_id": each.run_id,
            }
            for each in run.inputs
        ],
        "output": {
            "type": output.kind,
            "place": output.place,
            "path": output.uri,
            "fingerprint": output.fingerprint,
            "size_bytes": output.size_bytes,
            "mtime_ns": output.mtime_ns,
            "etag": output.etag,
            "version_id": output.version_id,
            "siblings": [
                {"place": each.place, "path": each.uri} for each in run.outputs if each != output
            ],
        },
        "code": code,
        "run_id": run.run_id,
        "build_id": run.build_id,
        "reason": dict(run.reason),
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "duration_s": run.duration_s,
        "environment": dict(run.environment),
    }
    if run.dynamic_upstream:
        document["dynamic_upstream"] = dict(run.dynamic_upstream)
    if run.status == "adopted":
        document["adopted"] = True
    return document | dict(run.metadata)
