from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from superluigi import run_task
from superluigi.errors import BuildFailed
from superluigi.planning import Reason
from tests import flows


def events_of_the_build() -> list[dict[str, Any]]:
    (directory,) = Path(".superluigi/builds").iterdir()
    return [json.loads(line) for line in (directory / "events.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("num_workers", [1, 2])
def test_a_build_tells_what_happens_in_its_event_file(num_workers: int) -> None:
    run_task(flows.Clean(), num_workers=num_workers, progress=False)
    events = events_of_the_build()
    assert [event["event"] for event in events] == [
        *("build_started", "plan"),
        *("run_started", "run_succeeded"),
        *("run_started", "run_succeeded"),
        "build_finished",
    ]
    assert {event["v"] for event in events} == {1}
    assert len({event["build_id"] for event in events}) == 1
    assert events[1]["counts"] == {"skip": 1, "run": 2}
    assert events[-1]["status"] == "succeeded"
    assert events[2]["why"].startswith("raw.txt is missing")


def test_a_function_hears_every_event() -> None:
    heard: list[dict[str, Any]] = []
    run_task(flows.Clean(), progress=heard.append)
    assert heard == events_of_the_build()


def test_a_failure_is_told_with_its_traceback() -> None:
    with pytest.raises(BuildFailed):
        run_task(flows.AfterFailing(), progress=False)
    (failed,) = (event for event in events_of_the_build() if event["event"] == "run_failed")
    assert failed["error_type"] == "ValueError"
    assert failed["error"] == "bad luck"
    assert "flows.py" in failed["traceback"]
    assert failed["will_retry"] is False


def test_what_a_run_prints_is_in_its_log_and_on_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run_task(flows.Prints(), progress=False)
    (started,) = (event for event in events_of_the_build() if event["event"] == "run_started")
    (directory,) = Path(".superluigi/builds").iterdir()
    assert (directory / started["log"]).read_text() == "a line of the task's own\n"
    assert capsys.readouterr().out == "a line of the task's own\n"


def test_lines_say_what_ran_and_why_when_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run_task(flows.Raw())
    text = capsys.readouterr().err
    assert f"run    Raw {flows.Raw().task_id[:8]}\n" in text
    assert f"ran       Raw {flows.Raw().task_id[:8]}  raw.txt is missing" in text
    assert "ok: 1 ran, 1 up to date" in text


def test_silence_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    run_task(flows.Raw(), progress=False)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_the_result_can_be_drawn_for_people_and_machines() -> None:
    from rich.console import Console

    result = run_task(flows.Clean(), progress=False)
    assert "ok: 2 ran, 1 up to date" in str(result)
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(result)
    assert "Clean" in console.export_text()
    assert result._repr_html_().startswith("<pre>")
    assert json.loads(json.dumps(result.to_dict()))["ok"] is True


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_drawn_result_names_each_task_and_says_all_of_why_at_any_width(width: int) -> None:
    from rich.console import Console

    result = run_task(flows.Report(), progress=False)
    wide = {"date": "2022-12-15", "version": "4", "[region]": "x" * 40}
    ran = [replace(decision, params=wide) for decision in result.ran]
    missing = Reason("missing", f"{'deep' * 10}/{'leaf' * 10}.csv is missing, and others need it")
    ran[0] = replace(ran[0], reasons=(missing,))
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(replace(result, ran=tuple(ran)))
    lines = console.export_text().rstrip().splitlines()
    named = [line for line in lines if line.startswith("ran  ")]
    assert len(named) == len(ran)
    assert max(map(len, lines)) <= width
    assert "Raw" in named[0]
    assert "need it" in " ".join(lines[: lines.index(named[1])])


def test_progress_that_a_task_reports_is_an_event(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(self: Any, output_path: str) -> None:
        self.set_progress_percentage(40)
        Path(output_path).write_text("x")

    monkeypatch.setattr(flows.Part.run, "__wrapped__", run, raising=True)
    monkeypatch.setattr(
        flows.Part,
        "run",
        __import__("superluigi.tasks.run_method", fromlist=["entered_once"]).entered_once(
            run, flows.Part
        ),
    )
    run_task(flows.Part(n=1), progress=False)
    (progress,) = (e for e in events_of_the_build() if e["event"] == "run_progress")
    assert progress["percentage"] == 40
