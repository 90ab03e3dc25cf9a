"""Recording the demo, through the same calls as builds do it; always the same for one point in time."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from superluigi_catalog import BuildEntry, Catalog, InputEntry, Observed, OutputEntry, RunEntry
from superluigi_tui.demo.files import write_build_files
from superluigi_tui.demo.pipeline import KIND, DemoTask, daily_tasks, fingerprint_of, run_id_of

__all__ = ["NOW", "make_demo"]

NOW = datetime(2024, 5, 17, 12, 7, tzinfo=timezone.utc)
"""The point in time that screenshots show."""

_ROWS = 1_204_881
_OWNER = "demo|demo|1|1"
"""On no host that anybody could check: what it runs seems to go on for ever."""
_TRACEBACK = """Traceback (most recent call last):
  File "flows/train.py", line 88, in run
    model.fit(X, y)
  File "flows/train.py", line 41, in _check
    raise ValueError(f"bad label {v!r} in row {i}")
ValueError: bad label 'n/a' in row 7
"""


def make_demo(folder: Path, *, now: datetime = NOW, days: int = 24) -> Path:
    """Make the demo's catalog, with the files of its builds.

    Args:
        folder: Where its `.superluigi` is made.
        now: The present, as far as the demo is concerned.
        days: How many days the pipeline has run, twelve tasks each.

    Returns:
        The catalog's file.
    """
    home = folder / ".superluigi"
    home.mkdir(parents=True, exist_ok=True)
    path = home / "catalog.db"
    with Catalog(path) as catalog:
        story = _Story(catalog, home, now)
        with catalog.transaction():
            for back in range(days, 0, -1):
                story.whole_day(back)
            story.today()
    return path


class _Story:
    """What happened, day by day."""

    def __init__(self, catalog: Catalog, home: Path, now: datetime) -> None:
        self._catalog = catalog
        self._home = home
        self._now = now
        self._contents: dict[str, str] = {}
        self._runs: dict[str, str] = {}
        self._number = 0

    def whole_day(self, back: int) -> None:
        """A day on which all went well."""
        tasks = list(daily_tasks(self._day(back)))
        at = self._now - timedelta(days=back, minutes=30)
        self._catalog.record_tasks(task.entry for task in tasks)
        build = self._begin(tasks[-1], at, ["superluigi", "run", "flows.report.Report"], tasks)
        for task in tasks:
            at = self._succeeded(task, at, build)
        self._end(build, at, "succeeded", {"ran": len(tasks)})

    def today(self) -> None:
        """Orders were cleaned again after the features were made; training failed; the report runs."""
        tasks = {task.entry.family: task for task in daily_tasks(self._day(0))}
        self._catalog.record_tasks(task.entry for task in tasks.values())
        morning = self._now - timedelta(hours=3)
        upper = [tasks[name] for name in list(tasks)[:9]]
        build = self._begin(
            tasks["Split"], morning, ["superluigi", "run", "flows.report.Split"], upper
        )
        at = morning
        for task in upper:
            at = self._succeeded(task, at, build)
        self._end(build, at, "succeeded", {"ran": len(upper)})
        at = self._now - timedelta(minutes=40)
        users = tasks["CleanUsers"]
        build = self._begin(
            users, at, ["superluigi", "run", "--force", "flows.report.CleanUsers"], [users]
        )
        self._end(build, self._succeeded(users, at, build, "2"), "succeeded", {"ran": 1})
        self._failed_build(tasks)
        self._running_build(tasks)
        gone = next(task for task in daily_tasks(self._day(3)) if task.entry.family == "Score")
        self._catalog.observe([Observed(gone.uri, KIND, "missing")])

    def _failed_build(self, tasks: Mapping[str, DemoTask]) -> None:
        at = self._now - timedelta(minutes=20)
        train = tasks["TrainModel"]
        argv = ["superluigi", "run", "flows.report.Report", "--date", self._day(0)]
        shown = [tasks[name] for name in ("TrainModel", "Score", "Report")]
        build = self._begin(tasks["Report"], at, argv, shown, failed=train)
        ended = at + timedelta(seconds=12)
        self._catalog.finish_run(
            self._run(
                train,
                at,
                ended,
                build,
                "failed",
                error_type="ValueError",
                error="bad label 'n/a' in row 7",
                traceback=_TRACEBACK,
            )
        )
        self._end(build, ended, "failed", {"skipped": 9, "failed": 1})

    def _running_build(self, tasks: Mapping[str, DemoTask]) -> None:
        at = self._now - timedelta(seconds=72)
        yesterday = list(daily_tasks(self._day(1)))
        argv = ["superluigi", "run", "--force-upstream", "flows.report.Report"]
        build = self._begin(yesterday[-1], at, argv, yesterday[:8])
        self._catalog.start_run(
            run_id_of(build, yesterday[7].entry.task_hash),
            yesterday[7].entry.task_hash,
            build_id=build,
            reason=_FORCED,
            reasons=[_FORCED],
            started_at=_text(at + timedelta(seconds=60)),
            owner=_OWNER,
        )

    # -- records -------------------------------------------------------------------------------

    def _begin(
        self,
        root: DemoTask,
        at: datetime,
        argv: list[str],
        tasks: Iterable[DemoTask],
        failed: DemoTask | None = None,
    ) -> str:
        build = str(self._uuid())
        shown = list(tasks)
        directory = write_build_files(
            self._home / "builds",
            build,
            at,
            shown,
            root=root,
            failed=failed,
            traceback=_TRACEBACK,
            is_running="--force-upstream" in argv,
        )
        self._catalog.start_build(
            BuildEntry(
                build_id=build,
                started_at=_text(at),
                roots=(root.entry.task_hash,),
                host="demo",
                user="ada",
                cwd="/home/ada/orders",
                argv=tuple(argv),
                directory=directory,
                owner=_OWNER,
                arguments={"num_workers": 1},
            )
        )
        return build

    def _end(self, build: str, at: datetime, status: str, counts: Mapping[str, int]) -> None:
        self._catalog.end_build(build, status=status, ended_at=_text(at), counts=counts)

    def _succeeded(self, task: DemoTask, at: datetime, build: str, content: str = "1") -> datetime:
        ended = at + timedelta(seconds=task.seconds)
        self._contents[task.entry.task_hash] = content
        rows = _ROWS + (content != "1")
        run = self._run(task, at, ended, build, "succeeded", metadata={"row_count": rows})
        self._runs[task.entry.task_hash] = run.run_id
        self._catalog.finish_run(run)
        return ended

    def _run(
        self, task: DemoTask, at: datetime, ended: datetime, build: str, status: str, **more: Any
    ) -> RunEntry:
        succeeded = status == "succeeded"
        return RunEntry(
            run_id=run_id_of(build, task.entry.task_hash),
            task_hash=task.entry.task_hash,
            status=status,
            started_at=_text(at),
            ended_at=_text(ended),
            duration_s=(ended - at).total_seconds(),
            build_id=build,
            reason=_MISSING,
            inputs=tuple(self._inputs(task)),
            outputs=(self._output(task),) if succeeded else (),
            owner=_OWNER,
            code=_code(task, self._contents.get(task.entry.task_hash, "1")),
            environment={"python": "3.12.4", "host": "demo"},
            log=f"runs/{task.entry.family}.log",
            **more,
        )

    def _inputs(self, task: DemoTask) -> Iterable[InputEntry]:
        day = {each.entry.task_hash: each for each in daily_tasks(task.entry.params["date"])}
        for place, upstream in task.entry.upstream:
            yield InputEntry(
                place,
                day[upstream].uri,
                KIND,
                fingerprint_of(upstream, self._contents.get(upstream, "1")),
                18_200_000,
                task_hash=upstream,
                run_id=self._runs.get(upstream),
            )

    def _output(self, task: DemoTask) -> OutputEntry:
        task_hash = task.entry.task_hash
        content = self._contents[task_hash]
        return OutputEntry(
            "", task.uri, KIND, fingerprint_of(task_hash, content), 18_200_000, token=content
        )

    def _day(self, back: int) -> str:
        return (self._now - timedelta(days=back)).date().isoformat()

    def _uuid(self) -> uuid.UUID:
        self._number += 1
        return uuid.uuid5(uuid.NAMESPACE_URL, f"{self._now.isoformat()}/{self._number}")


_MISSING = {"kind": "missing", "text": "its output was not there", "details": {}}
_FORCED = {"kind": "forced", "text": "forced", "details": {}}


def _code(task: DemoTask, content: str) -> dict[str, Any]:
    family = task.entry.family
    lines = ["def run(self, input_path, output_path, metadata):", "    frame = read(input_path)"]
    if content != "1":
        lines.append("    frame = frame[frame.age >= 18]")
    lines += [f"    {family.lower()}(frame).to_parquet(output_path)", ""]
    version = family.lower() + ("" if content == "1" else content)
    part = {
        "name": f"{task.entry.module}.{family}.run",
        "file": "flows/report.py",
        "line": 41,
        "fingerprint": f"code1:{version}",
        "source": "\n".join(lines),
    }
    return {"fingerprint": f"code1:{version}", "parts": [part], "not_followed": []}


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
