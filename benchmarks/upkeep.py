"""The catalog's upkeep at scale: rebuilding it from sidecars, merging another one into it.

    python benchmarks/upkeep.py [--tasks 100000] [--directory DIR]

Prints one line for each work, with the time it shall not exceed for 100,000 tasks.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import tempfile
import time
import uuid
from pathlib import Path

from superluigi.places import register
from superluigi_catalog import Catalog

PER_FOLDER = 100
CODE = {
    "fingerprint": "code1:" + "a" * 64,
    "parts": [
        {"name": f"flows.Step.f{i}", "file": "flows.py", "line": i, "fingerprint": f"code1:{i:064}"}
        for i in range(6)
    ],
    "not_followed": [],
}
ENVIRONMENT = {"superluigi": "0.1.0", "python": "3.11.7", "host": "here", "packages": {"a": "1"}}


def digest(text: str) -> str:
    """64 hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def path_of(number: int) -> str:
    """Where a task's target is."""
    return f"data/{number // PER_FOLDER:05}/step-{number}.csv"


def run_id_of(number: int) -> str:
    """The run that made it."""
    return str(uuid.UUID(int=number + 1))


def document_of(number: int, size: int, mtime_ns: int) -> dict[str, object]:
    """The sidecar of one task, which reads up to three earlier ones."""
    upstream = sorted({number // 2, number // 3, number - 1} - {number, -1})
    return {
        "format": "superluigi-sidecar/1",
        "task_hash": digest(f"t{number}")[:32],
        "family": f"Step{number % 20}",
        "module": "flows.steps",
        "params": {"number": str(number), "date": f"2026-01-{number % 28 + 1:02}"},
        "insignificant_params": {},
        "upstream": {str(i): digest(f"t{up}")[:32] for i, up in enumerate(upstream)},
        "inputs": [
            {
                "place": str(i),
                "path": path_of(up),
                "type": "LocalFileTarget",
                "fingerprint": f"sha256:{digest(str(up))}",
                "size_bytes": len(str(up)),
                "etag": None,
                "version_id": None,
                "task_hash": digest(f"t{up}")[:32],
                "run_id": run_id_of(up),
            }
            for i, up in enumerate(upstream)
        ],
        "output": {
            "type": "LocalFileTarget",
            "place": "",
            "path": path_of(number),
            "fingerprint": f"sha256:{digest(str(number))}",
            "size_bytes": size,
            "siblings": [],
            "mtime_ns": mtime_ns,
        },
        "code": CODE,
        "run_id": run_id_of(number),
        "build_id": "build-1",
        "reason": {"kind": "missing", "text": "data is missing", "details": {}},
        "started_at": "2026-01-05T08:12:31.123456Z",
        "ended_at": "2026-01-05T08:12:33.123456Z",
        "duration_s": 2.0,
        "environment": ENVIRONMENT,
        "row_count": number,
    }


def make_project(tasks: int) -> None:
    """Write targets and sidecars, as builds would have left them."""
    Path("superluigi.toml").touch()
    for number in range(tasks):
        path = Path(path_of(number))
        if number % PER_FOLDER == 0:
            path.parent.mkdir(parents=True)
        path.write_text(str(number))
        status = path.stat()
        sidecar = json.dumps(document_of(number, status.st_size, status.st_mtime_ns))
        Path(f"{path}.metadata.json").write_text(sidecar)


def timed(what: str, bar_s: float | None, work: object) -> None:
    """Do it and say how long it took, and how much of that was CPU: what else the machine does is left out."""
    started, cpu = time.perf_counter(), time.process_time()
    result = work()  # type: ignore[operator]
    took, cpu = time.perf_counter() - started, time.process_time() - cpu
    bar = "" if bar_s is None else f"  (bar {bar_s:g} s)"
    print(f"{what:<40} {cpu:7.2f} s CPU, {took:7.2f} s{bar}  {result}", flush=True)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--directory", help="where to make the project; removed afterwards")
    arguments = parser.parse_args()
    register()
    with tempfile.TemporaryDirectory(dir=arguments.directory) as directory:
        os.chdir(directory)
        timed("make a project", None, lambda: make_project(arguments.tasks))
        with Catalog() as catalog:

            def rebuild() -> str:
                done = catalog.rebuild("data")
                return f"{done.recorded:,} recorded, {done.unchanged:,} known, {len(done.problems)} problems"

            timed("rebuild from sidecars", 15, rebuild)
            timed("rescan, nothing changed", 1.5, rebuild)
            timed("verify", None, lambda: f"{len(catalog.verify().problems)} problems")
            copy = catalog.export("copy.db")
            with Catalog("merged.db") as merged:
                timed("merge into an empty catalog", 8, lambda: f"{merged.merge(copy).runs:,} runs")
                timed("merge it again", None, lambda: f"{merged.merge(copy).runs:,} runs")
        os.chdir("/")


if __name__ == "__main__":
    main()
