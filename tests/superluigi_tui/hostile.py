"""A catalog whose every field holds text that was chosen to do harm."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from superluigi_catalog import BuildEntry, Catalog, InputEntry, Observed, OutputEntry
from tests.superluigi_catalog.entries import a_run, a_task, at, hash_of

TEXT = (
    "[/ x] [b [red]\x1b[31m\x9b2J\u202e漢字 👩\u200d🚀\nnext\r\ttab \udc80 {0} %s $x é\u0301 "
    + "w" * 300
)
HUGE = TEXT + "x" * 100_000


def make_hostile(folder: Path) -> Path:
    """Record a small graph and two builds."""
    path = folder / ".superluigi" / "catalog.db"
    path.parent.mkdir(parents=True)
    with Catalog(path) as catalog:
        entries = [
            replace(
                a_task(name, {TEXT: up} if up else (), params={TEXT: HUGE, "n": name}),
                family=TEXT + name,
                module=TEXT,
                outputs=((TEXT, f"data/{TEXT}/{name}", TEXT),),
                insignificant_params={TEXT: TEXT},
            )
            for name, up in (("a", ""), ("b", "a"), ("c", "b"))
        ]
        catalog.record_tasks(entries)
        folder_name = _write_files(path.parent / "builds")
        for build in ("build-1", TEXT):
            catalog.start_build(
                BuildEntry(
                    build_id=build,
                    started_at=at(1),
                    roots=(hash_of("c"),),
                    host=TEXT,
                    user=TEXT,
                    cwd=TEXT,
                    argv=("superluigi", "run", TEXT),
                    arguments={"num_workers": TEXT},
                    directory=folder_name if build == "build-1" else "../../../etc",
                    owner=TEXT,
                )
            )
        for name, up in (("a", ""), ("b", "a")):
            catalog.finish_run(
                a_run(
                    name,
                    [InputEntry(TEXT, f"data/{TEXT}/{up}", TEXT, TEXT, 1, TEXT, TEXT, hash_of(up))]
                    if up
                    else (),
                    outputs=[
                        OutputEntry(
                            TEXT, f"data/{TEXT}/{name}", TEXT, f"sha256:{TEXT}", 1, token="t"
                        )
                    ],
                    code={
                        "fingerprint": TEXT,
                        "not_followed": [TEXT],
                        "parts": [
                            {
                                "name": TEXT,
                                "file": TEXT,
                                "line": 1,
                                "fingerprint": TEXT,
                                "source": HUGE,
                            }
                        ],
                    },
                    metadata={TEXT: HUGE},
                    reason={"kind": TEXT, "text": TEXT, "details": {TEXT: TEXT}},
                    build_id="build-1",
                    log="../../../../etc/passwd",
                )
            )
        catalog.finish_run(
            a_run(
                "c",
                status="failed",
                error_type=TEXT,
                error=HUGE,
                traceback=HUGE,
                build_id="build-1",
                log="runs/c.log",
            )
        )
        catalog.observe(
            [Observed(f"data/{TEXT}/a", TEXT, "present", TEXT, f"etag:{TEXT}", error=TEXT)]
        )
        catalog.end_build("build-1", status="failed", ended_at=at(2), counts={TEXT: 3}, error=TEXT)
    return path


def _write_files(builds: Path) -> str:
    folder = builds / "one"
    (folder / "runs").mkdir(parents=True)
    fields = {"task_hash": hash_of("c"), "family": TEXT, "params": {TEXT: HUGE}}
    events = [
        {"event": "build_started", "pid": 1, "t": TEXT},
        {
            "event": "run_started",
            **fields,
            "t": TEXT,
            "why": TEXT,
            "log": "runs/c.log",
            "run_id": TEXT,
        },
        {"event": "run_failed", **fields, "error_type": TEXT, "error": TEXT, "traceback": HUGE},
        {"event": "task_blocked", "task_hash": TEXT, "family": TEXT, "params": TEXT, "why": TEXT},
        {"event": "build_finished", "status": "failed", "t": TEXT, "counts": TEXT},
    ]
    (folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    (folder / "runs" / "c.log").write_text(HUGE, encoding="utf-8", errors="surrogatepass")
    (folder / "log").write_bytes(b"\xff\xfe\x00\x1b[2J" * 1000)
    return "one"
