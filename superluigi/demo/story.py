"""The demo itself: builds a person can follow, each compared with what its tasks noted."""

from __future__ import annotations

import datetime as dt
import json
import traceback
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from superluigi.demo.page import DemoWrong, Page, claim
from superluigi.demo.project import DemoProject
from superluigi.task_runner import BuildResult, run_task
from superluigi_catalog import Catalog

__all__ = ["Story"]

_ALL = ("FeaturesTask", "ModelTask", "PredictionsTask")
_CALL = "run_task(task{})"
_MAX_VALUE_CHARS = 72
_MAX_ROWS = 2


class Story:
    """One telling.

    Args:
        page: Where to.
        project: Where the tasks are, and where they note what they do.
        pipeline: The project's module.
    """

    def __init__(self, page: Page, project: DemoProject, pipeline: ModuleType) -> None:
        self._page = page
        self._project = project
        self._pipeline = pipeline
        self._noted = 0
        self.task = pipeline.PredictionsTask(date=dt.date(2022, 12, 15), version=4)

    def tell(self) -> None:
        """From the first build to the failing one.

        Raises:
            DemoWrong: something is not as it says.
        """
        self._runs()
        self._sidecar()
        self._lineage()
        self._failure()

    def _runs(self) -> None:
        page = self._page
        page.heading("A build: what ran, and why")
        page.code("task = PredictionsTask(date=date(2022, 12, 15), version=4)")
        result = self._build(_ALL)
        claim("the prediction's file stands.", holds=self.task.output().exists())
        page.block(f"{result.outputs}\n{self.task.output().metadata_path}")

        page.heading("Again: everything is there and right, so nothing runs")
        self._build(())

        page.heading("force: this task again")
        self._build(("PredictionsTask",), force=True)

        page.heading("force_upstream: the whole graph again")
        self._build(_ALL, force_upstream=True)

        page.heading("force_upstream_to_task_cls: the features, this task, and what lies between")
        features = self._pipeline.FeaturesTask
        self._build(("FeaturesTask", "PredictionsTask"), force_upstream_to_task_cls=features)

    def _build(self, expected: tuple[str, ...], **force: Any) -> BuildResult:
        arguments = "".join(f", {name}={_named(value)}" for name, value in force.items())
        self._page.code(_CALL.format(arguments))
        result = run_task(self.task, progress=False, **force)
        noted = self._newly_noted()
        told = [decision.family for decision in result.ran]
        claim(f"{told} ran.", holds=noted == told, found=noted)
        claim(f"{list(expected)} run here.", holds=sorted(noted) == sorted(expected), found=noted)
        self._page.block(str(result))
        self._page.ran(noted)
        return result

    def _newly_noted(self) -> list[str]:
        entered = self._project.entered_runs()
        new = entered[self._noted :]
        self._noted = len(entered)
        return new

    def _sidecar(self) -> None:
        self._page.heading("The sidecar beside the predictions: how they came to be")
        target = self.task.output()
        document = target.metadata()
        claim("a sidecar stands beside the predictions.", holds=document is not None)
        rows = _data_rows(target.download())
        claim(
            "the sidecar has the task's hash, its inputs, and the number that run() added to it.",
            holds=(document["task_hash"], [row["place"] for row in document["inputs"]])
            == (self.task.task_hash, ["features", "model"])
            and document["row_count"] == rows,
            found=(document, rows),
        )
        self._page.code("task.output().metadata()")
        self._page.block("\n".join(_rows(document)))

    def _lineage(self) -> None:
        self._page.heading("The lineage of the predictions, asked of the catalog by their path")
        path = self.task.output().path
        with Catalog() as catalog:
            lineage = catalog.upstream(path)
        found = {(task.family, task.status) for task in lineage}
        expected = {("FeaturesTask", "fresh"), ("ModelTask", "fresh")}
        claim(f"upstream are {sorted(expected)}.", holds=found == expected, found=found)
        hashes = {task.task_hash for task in lineage}
        required = {task.task_hash for task in self.task.requires().values()}
        claim("they are the tasks that requires() names.", holds=hashes == required, found=hashes)
        self._page.code(f"Catalog().upstream({path!r})")
        self._page.block(lineage.to_text())

    def _failure(self) -> None:
        self._page.heading("A failing task, with raise_exception=True: your own exception")
        report = self._pipeline.ReportTask(date=self.task.date, version=self.task.version)
        self._page.code("run_task(ReportTask(…), raise_exception=True)")
        frame, told = None, "nothing was raised"
        try:
            run_task(report, progress=False, raise_exception=True)
        except ZeroDivisionError as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            told = f"{type(error).__name__}: {error}"
        if frame is None:
            message = f"The demo claims: ReportTask fails with its own exception. Found: {told}"
            raise DemoWrong(message)
        source = self._project.pipeline.read_text(encoding="utf-8").splitlines()
        claim(
            "the innermost frame, where a debugger stops, is the line in run() that failed.",
            holds=frame.filename == str(self._project.pipeline)
            and frame.name == "run"
            and "/ len(high)" in source[(frame.lineno or 0) - 1],
            found=frame,
        )
        noted = self._newly_noted()
        claim("only ReportTask ran.", holds=noted == ["ReportTask"], found=noted)
        claim("it left no output.", holds=not report.output().exists())
        where = self._project.pipeline.name
        self._page.block(
            f"{told}\n  {where}, line {frame.lineno}, in {frame.name}\n    {frame.line}"
        )
        self._page.ran(noted)


def _named(value: Any) -> str:
    return value.__name__ if isinstance(value, type) else repr(value)


def _data_rows(path: str) -> int:
    with open(path, encoding="utf-8") as file:  # noqa: PTH123
        return sum(1 for _ in file) - 1


def _rows(document: dict[str, Any]) -> Iterator[str]:
    """The document as pretty JSON, with what a screen has no room for cut and marked."""
    last = next(reversed(document))
    yield "{"
    for key, value in document.items():
        comma = "" if key == last else ","
        if isinstance(value, list) and value:
            yield f'  "{key}": ['
            yield ",\n".join(f"    {_line(row)}" for row in value)
            yield f"  ]{comma}"
        else:
            yield f'  "{key}": {_line(value)}{comma}'
    yield "}"


def _line(value: Any) -> str:
    return json.dumps(_cut(value), ensure_ascii=False)


def _cut(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _cut(item) for key, item in value.items()}
    if isinstance(value, list):
        cut = [_cut(item) for item in value[:_MAX_ROWS]]
        return cut if len(value) <= _MAX_ROWS else [*cut, f"… {len(value) - _MAX_ROWS} more"]
    if isinstance(value, str) and len(value) > _MAX_VALUE_CHARS:
        return value[: _MAX_VALUE_CHARS - 1] + "…"
    return value
