"""The tasks of the demo: a daily pipeline from orders to a report."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from superluigi_catalog import TaskEntry

__all__ = ["DemoTask", "daily_tasks", "fingerprint_of", "run_id_of"]

KIND = "LocalFileTarget"
_UPSTREAM: Mapping[str, tuple[str, ...]] = {
    "ExtractOrders": (),
    "ExtractUsers": (),
    "ExtractPrices": (),
    "CleanOrders": ("ExtractOrders",),
    "CleanUsers": ("ExtractUsers",),
    "CleanPrices": ("ExtractPrices",),
    "JoinOrders": ("CleanOrders", "CleanUsers"),
    "Features": ("JoinOrders", "CleanUsers", "CleanPrices"),
    "Split": ("Features",),
    "TrainModel": ("Split",),
    "Score": ("Features", "TrainModel"),
    "Report": ("Score",),
}
_SECONDS: Mapping[str, float] = {
    "Extract": 7.0,
    "Clean": 14.0,
    "JoinOrders": 80.0,
    "Features": 220.0,
    "Split": 5.0,
    "TrainModel": 842.0,
    "Score": 10.0,
    "Report": 3.0,
}


@dataclass(frozen=True)
class DemoTask:
    """One task, with what its runs look like."""

    entry: TaskEntry
    seconds: float

    @property
    def uri(self) -> str:
        """Its one output."""
        return self.entry.outputs[0][1]


def daily_tasks(date: str) -> Iterator[DemoTask]:
    """All tasks of one day, upstream first."""
    hashes: dict[str, str] = {}
    for family, upstream in _UPSTREAM.items():
        params = {"date": date}
        if family.startswith("Extract"):
            params["region"] = "eu-west-1"
        if family in ("Features", "Split", "TrainModel", "Score", "Report"):
            params["version"] = "12"
        task_hash = hashlib.sha256(f"{family}{date}".encode()).hexdigest()[:32]
        hashes[family] = task_hash
        entry = TaskEntry(
            task_hash=task_hash,
            family=family,
            module="flows.train" if family == "TrainModel" else "flows.report",
            params=params,
            upstream=tuple((up, hashes[up]) for up in upstream),
            outputs=(("", f"data/{family.lower()}/{date}-{task_hash[:8]}.parquet", KIND),),
            insignificant_params={"seed": "42"} if family == "Split" else {},
        )
        seconds = next(s for name, s in _SECONDS.items() if family.startswith(name))
        yield DemoTask(entry, seconds)


def run_id_of(build_id: str, task_hash: str) -> str:
    """The id of a task's run in a build."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{build_id}/{task_hash}"))


def fingerprint_of(task_hash: str, content: str) -> str:
    """A content's fingerprint."""
    return f"sha256:{hashlib.sha256(f'{task_hash}/{content}'.encode()).hexdigest()}"
