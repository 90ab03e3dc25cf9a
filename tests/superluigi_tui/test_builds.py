from __future__ import annotations

import fcntl
import json
from pathlib import Path

from superluigi_catalog import Catalog
from superluigi_tui.build_events import BuildProgress, EventFile, is_held
from superluigi_tui.demo import NOW
from tests.superluigi_tui.driving import driving


def build_with(demo: Path, status: str) -> str:
    with Catalog(demo, read_only=True) as catalog:
        return next(build.build_id for build in catalog.builds() if build.status == status)


async def test_all_builds_are_listed_the_newest_first(demo: Path) -> None:
    async with driving(demo, "builds") as driver:
        await driver.sees("running", "--force-upstream flows.report.Report", "1m12s", "failed")
        await driver.press("j", "enter")
        await driver.sees(
            "FAILED", "ValueError: bad label 'n/a' in row 7", "flows/train.py:41 in _check"
        )


async def test_a_failed_build_shows_what_failed_where_and_what_to_do(demo: Path) -> None:
    async with driving(demo, f"builds/{build_with(demo, 'failed')}") as driver:
        await driver.sees("100%", "1 failed", "2 blocked", "TrainM", "model.fit(X, y)", "retry")
        await driver.press("j")
        await driver.sees("blocked", "TrainModel failed or was not run")
        await driver.press("n")
        await driver.sees("Log  TrainModel")
        await driver.press("y")
        assert "Traceback" in driver.app.clipboard


async def test_the_log_shows_only_lines_that_are_wanted(demo: Path) -> None:
    async with driving(demo, f"builds/{build_with(demo, 'failed')}") as driver:
        await driver.sees("INFO flows", "model.fit(X, y)")
        await driver.press("ampersand", *"FIT", "enter")
        await driver.until(lambda: "INFO flows" not in driver.text and "model.fit" in driver.text)
        await driver.press("W", "ampersand", "enter")
        await driver.sees("INFO flows", "model.fit(X, y)")


async def test_a_running_build_is_followed(own_demo: Path) -> None:
    build_id = build_with(own_demo, "running")
    (folder,) = own_demo.parent.glob(f"builds/*-{build_id[:6]}")
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        async with driving(own_demo, f"builds/{build_id}") as driver:
            await driver.sees("RUNNING", "7/8", "40 %", "left")
            event = {"t": f"{NOW:%Y-%m-%dT%H:%M:%S.%fZ}", "event": "run_succeeded"}
            (running,) = progress_of(folder).with_status("running")
            append(folder, event | {"task_hash": running.task_hash, "duration_s": 3.0})
            await driver.sees("8/8", "100%")
            append(folder, event | {"event": "build_finished", "status": "succeeded"})
            await driver.sees("SUCCEEDED")


async def test_a_build_that_died_without_a_word_is_interrupted(own_demo: Path) -> None:
    build_id = build_with(own_demo, "running")
    (folder,) = own_demo.parent.glob(f"builds/*-{build_id[:6]}")
    (folder / "lock").touch()
    async with driving(own_demo, f"builds/{build_id}") as driver:
        await driver.sees("INTERRUPTED")


def progress_of(folder: Path) -> BuildProgress:
    events = EventFile(folder)
    events.read_on()
    return events.progress


def append(folder: Path, event: dict[str, object]) -> None:
    with (folder / "events.jsonl").open("a") as file:
        file.write(json.dumps(event) + "\n")


def test_events_are_read_on_and_half_a_line_waits(tmp_path: Path) -> None:
    events = EventFile(tmp_path)
    events.read_on()
    assert events.revision == 0
    path = tmp_path / "events.jsonl"
    started = {"event": "run_started", "task_hash": "a", "family": "A", "params": {}, "t": "x"}
    line = json.dumps(started).encode() + b"\n"
    path.write_bytes(line + line[:20])
    events.read_on()
    assert events.progress.tasks["a"].status == "running"
    events.read_on()
    assert events.revision == 1
    path.write_bytes(
        line + json.dumps({**started, "event": "run_failed", "error": "e"}).encode() + b"\n"
    )
    events.read_on()
    assert (events.progress.tasks["a"].status, events.progress.tasks["a"].error) == ("failed", "e")


def test_broken_lines_and_unknown_events_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text("[1, 2]")
    (tmp_path / "events.jsonl").write_text(
        'nonsense\n[]\n{"event": "new_kind"}\n{"event": null}\n\n'
    )
    events = EventFile(tmp_path)
    events.read_on()
    assert events.progress.status == "running"
    assert events.progress.tasks == {}


def test_a_run_that_will_be_tried_again_has_not_failed() -> None:
    progress = BuildProgress()
    progress.take({"event": "run_failed", "task_hash": "a", "will_retry": True, "error": "e"})
    assert progress.tasks["a"].status == "running"
    progress.take({"event": "run_started", "task_hash": "a", "t": "x"})
    assert progress.tasks["a"].error == ""


def test_a_lock_tells_whether_a_build_lives(tmp_path: Path) -> None:
    assert is_held(tmp_path) is None
    with (tmp_path / "lock").open("w") as lock:
        assert is_held(tmp_path) is False
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert is_held(tmp_path) is True
