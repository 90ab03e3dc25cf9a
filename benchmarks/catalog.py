"""How fast the catalog answers at scale: `python benchmarks/catalog.py [TASKS] [--keep FILE | --use FILE]`.

A made-up catalog, recorded through the public path: pipelines of 10 to TASKS / 10 tasks, three inputs each,
two runs of every task, of which one in twenty found another content than the first one did. Milliseconds
are of CPU, the best of several: the catalog works in one thread, and what else the machine does is left out.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from superluigi_catalog import (
    Catalog,
    InputEntry,
    Lineage,
    OutputEntry,
    RunEntry,
    TaskEntry,
    fill_catalog,
)
from superluigi_catalog.storage.driver import sqlite3 as driver

FAMILIES = [f"{verb}{noun}" for verb in ("Load", "Clean", "Join", "Train", "Score") for noun in
            ("Users", "Orders", "Events", "Clicks", "Items", "Prices", "Shops", "Regions")]  # fmt: skip
KIND = "LocalFileTarget"
CODES = [{"fingerprint": f"code1:{n:032x}", "parts": [], "not_followed": []} for n in range(40)]
ENVIRONMENT = {"python": "3.11.7", "packages": {"pandas": "2.2.3"}}
CHUNK = 50_000
REASON = {"kind": "missing", "text": "its output is missing", "details": {}}


@dataclass(frozen=True)
class Shape:
    """Where the pipelines of a made-up catalog begin and end."""

    tasks: int
    pipelines: Sequence[tuple[int, int]]
    """(first task, number of tasks)."""

    @classmethod
    def of(cls, tasks: int) -> Shape:
        """One large pipeline, one of a thousand tasks in ten, and small ones."""
        pipelines = [(0, tasks // 10)]
        begin = tasks // 10
        while begin < tasks:
            size = min(1000 if len(pipelines) % 10 == 1 else 10, tasks - begin)
            pipelines.append((begin, size))
            begin += size
        return cls(tasks, pipelines)

    def upstream(self) -> Iterator[tuple[int, ...]]:
        """What each task requires, in the order of the tasks."""
        chosen = random.Random(1)
        for begin, size in self.pipelines:
            window = max(10, size // 100)
            for task in range(begin, begin + size):
                first = max(begin, task - window)
                count = min(3, task - first)
                yield tuple(sorted(chosen.sample(range(first, task), count)))

    def pipeline(self, size: int) -> tuple[int, int]:
        """The first and the last task of a pipeline of about that size."""
        begin, found = min(self.pipelines, key=lambda each: abs(each[1] - size))
        return begin, begin + found - 1


def hash_of(task: int) -> str:
    """As spread as a digest, so that the index grows as it would."""
    return f"{(task * 0x9E3779B97F4A7C15F39CC0605CEDC835 + 1) % 2**128:032x}"


def run_id_of(task: int, number: int) -> str:
    """Like a version 7 UUID: in the order of time."""
    digits = f"{number:04x}{task:08x}70008{task:015x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def content_of(task: int, number: int) -> str:
    """One task in twenty writes something else the second time."""
    version = number if task % 20 == 7 else 0
    return f"sha256:{hash_of(task * 2 + version)}{hash_of(task * 3 + version)}"


def uri_of(task: int) -> str:
    """Where it writes."""
    return f"data/{FAMILIES[task % len(FAMILIES)].lower()}/{hash_of(task)[:16]}.parquet"


def moment(task: int, number: int) -> str:
    """When it ran."""
    seconds = task // 20
    day, rest = divmod(seconds, 86_400)
    return f"2026-0{number + 1}-{day + 1:02}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}.000000Z"


def task_entries(shape: Shape) -> Iterator[TaskEntry]:
    """All tasks, as a build would declare them."""
    for task, upstream in enumerate(shape.upstream()):
        params = {
            "date": f"2026-{task % 12 + 1:02}-{task % 28 + 1:02}",
            "region": ("eu", "us", "asia")[task % 3],
            "shard": str(task),
        }
        yield TaskEntry(
            hash_of(task),
            FAMILIES[task % len(FAMILIES)],
            "flows.shop",
            params,
            tuple((f"in{place}", hash_of(each)) for place, each in enumerate(upstream)),
            (("", uri_of(task), KIND),),
        )


def run_entries(shape: Shape, number: int) -> Iterator[RunEntry]:
    """A run of every task."""
    for task, upstream in enumerate(shape.upstream()):
        started = moment(task, number)
        yield RunEntry(
            run_id=run_id_of(task, number),
            task_hash=hash_of(task),
            status="failed" if number and task % 5000 == 4321 else "succeeded",
            started_at=started,
            ended_at=started,
            duration_s=1.5,
            reason=REASON,
            inputs=tuple(
                InputEntry(
                    f"in{place}",
                    uri_of(each),
                    KIND,
                    content_of(each, number),
                    1000,
                    task_hash=hash_of(each),
                    run_id=run_id_of(each, number),
                )
                for place, each in enumerate(upstream)
            ),
            outputs=(
                OutputEntry("", uri_of(task), KIND, content_of(task, number), 1000, 5, token="t"),
            ),
            code=CODES[task % len(CODES)],
            environment=ENVIRONMENT,
            metadata={"row_count": task},
        )


def build(path: Path, shape: Shape) -> None:
    """Record everything."""
    with fill_catalog(path) as catalog:
        for tasks in in_chunks(task_entries(shape)):
            catalog.record_tasks(tasks)
        for number in (0, 1):
            for runs in in_chunks(run_entries(shape, number)):
                catalog.record_runs(runs)


def in_chunks(entries: Iterator[Any]) -> Iterator[list[Any]]:
    """Cut into lists: one transaction each."""
    while chunk := list(itertools.islice(entries, CHUNK)):
        yield chunk


def make_up(shape: Shape) -> None:
    """Make all entries and record none: what is left of the time is the catalog's."""
    for entries in (task_entries(shape), run_entries(shape, 0), run_entries(shape, 1)):
        for _ in entries:
            pass


def record_comb(catalog: Catalog) -> tuple[str, str]:
    """Two runs of a graph of 10,000 tasks that differ in one leaf; their ids."""
    groups = {f"g{g}": [f"g{g}.{leaf}" for leaf in range(99)] for g in range(100)}
    needs: dict[str, list[str]] = {leaf: [] for leaves in groups.values() for leaf in leaves}
    needs |= groups | {"top": list(groups)}
    changed = {"g42.7", "g42", "top"}

    numbers = {name: 10**9 + place for place, name in enumerate(needs)}

    def content(name: str, run: int) -> str:
        return f"sha256:{hash_of(numbers[name])}{hash_of(run if name in changed else 0)}"

    catalog.record_tasks(
        TaskEntry(hash_of(numbers[name]), "Comb", "flows", {"name": name},
                  tuple((each, hash_of(numbers[each])) for each in below),
                  (("", f"comb/{name}", KIND),))
        for name, below in needs.items()
    )  # fmt: skip
    for run in (0, 1):
        catalog.record_runs(
            RunEntry(
                run_id_of(numbers[name], run), hash_of(numbers[name]), "succeeded",
                f"2026-03-0{run + 1}", f"2026-03-0{run + 1}", 1.0, code=CODES[run if name == "g42.7" else 0],
                inputs=tuple(
                    InputEntry(each, f"comb/{each}", KIND, content(each, run), 1, task_hash=hash_of(numbers[each]),
                               run_id=run_id_of(numbers[each], run))
                    for each in below
                ),
                outputs=(OutputEntry("", f"comb/{name}", KIND, content(name, run), 1),),
            )
            for name, below in needs.items()
        )  # fmt: skip
    return run_id_of(numbers["top"], 0), run_id_of(numbers["top"], 1)


def best(work: Callable[[], object], times: int = 5) -> float:
    """The shortest of several times, in milliseconds of CPU: what else the machine does is left out."""
    found = []
    for _ in range(times):
        start = time.process_time()
        work()
        found.append((time.process_time() - start) * 1000)
    return min(found)


def closures(
    follow: Callable[[str], Lineage], root: str, bar: str
) -> Iterator[tuple[str, Callable[[], object], str]]:
    """One lineage, from its first record to all that belongs to it."""
    name = f"{follow.__name__} of {len(follow(root)):,} tasks"

    yield f"{name}: first record", lambda: next(iter(follow(root))), "20"
    yield f"{name}: records", lambda: {task.task_hash: task.family for task in follow(root)}, bar
    yield f"{name}: with their parameters", lambda: [task.params for task in follow(root)], ""
    yield f"{name}: with their states", lambda: [task.status for task in follow(root)], ""
    yield f"{name}: with states, edges, contents", lambda: follow(root).whole(), ""


def questions(catalog: Catalog, shape: Shape) -> Iterator[tuple[str, Callable[[], object], str]]:
    """What is asked, and the bar in milliseconds where there is one."""
    middle = shape.tasks // 2
    yield "point lookup by hash", lambda: catalog.task(hash_of(middle)), "0.3"
    yield "point lookup by prefix", lambda: catalog.task(hash_of(middle)[:12]), "0.3"
    yield "point lookup by path", lambda: catalog.task(uri_of(middle)), "0.3"
    for size, bar in ((1_000, "3"), (100_000, "400")):
        first, last = shape.pipeline(size)
        for follow, task in ((catalog.upstream, last), (catalog.downstream, first)):
            yield from closures(follow, hash_of(task), bar)
    _, last = shape.pipeline(1_000)
    yield (
        "upstream of an earlier day",
        lambda: catalog.as_of("2026-01-31").upstream(hash_of(last)),
        "",
    )
    for words in ("t", "tra", "train eu", "2026", "orders 2026", str(middle), "asia"):
        yield (
            f"search {words!r}, first page",
            lambda words=words: catalog.tasks(search=words, limit=50),
            "30",
        )  # type: ignore[misc]
    yield "all tasks, first page", lambda: catalog.tasks(limit=50), "30"
    yield (
        "all tasks, a page further down",
        lambda: catalog.tasks(limit=50, after=hash_of(middle)),
        "30",
    )
    yield (
        "family and parameter",
        lambda: catalog.tasks(family="TrainUsers", params={"region": "us"}, limit=50),
        "",
    )
    yield (
        "range of numbers",
        lambda: catalog.tasks(params={"shard": (middle, middle + 9)}, limit=50),
        "",
    )
    yield (
        "range of dates",
        lambda: catalog.tasks(params={"date": ("2026-03", "2026-03")}, limit=50),
        "",
    )
    for status in ("fresh", "stale", "missing", "failed", "running", "unknown"):
        yield (
            f"status {status}, first page",
            lambda status=status: catalog.tasks(status=status, limit=50),
            "",
        )  # type: ignore[misc]
    yield "tasks since a day", lambda: catalog.tasks(since="2026-02-01", limit=50), ""
    yield "newest 50 runs", lambda: catalog.runs(limit=50), ""
    yield "newest 50 runs that failed", lambda: catalog.runs(status="failed", limit=50), ""
    yield "who made a digest", lambda: catalog.makers(content_of(middle, 0)), ""
    yield "history of a path", lambda: catalog.history(uri_of(middle)), ""
    yield "statistics", catalog.stats, ""
    uris = [uri_of(task) for task in range(min(100_000, shape.tasks))]
    yield "records for 10,000 targets", lambda: catalog.target_records(uris[:10_000]), ""
    yield f"records for {len(uris):,} targets", lambda: catalog.target_records(uris), ""


def measure(path: Path, shape: Shape, times: int) -> list[tuple[str, float, str]]:
    """Ask everything."""
    rows = []
    with Catalog(path) as catalog:
        first, second = record_comb(catalog)
    with Catalog(path, read_only=True) as catalog:
        for name, work, bar in questions(catalog, shape):
            rows.append((name, best(work, times), bar))
        diff = catalog.diff(first, second)
        assert diff.first_cause is not None
        name = "diff of runs over 10,000 tasks, one difference"
        rows.append((name, best(lambda: catalog.diff(first, second), times), "50"))
    return rows


def main() -> None:
    """Build, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", type=int, nargs="?", default=100_000)
    parser.add_argument("--keep", type=Path, help="Leave the catalog here.")
    parser.add_argument("--use", type=Path, help="Ask the catalog that --keep left.")
    parser.add_argument("--repeat", type=int, default=5, help="How often each question is asked.")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    shape = Shape.of(chosen.tasks)
    with tempfile.TemporaryDirectory() as directory:
        path = chosen.use or chosen.keep or Path(directory, "catalog.db")
        rows: list[tuple[str, float, str]] = []
        if chosen.use is None:
            entries = best(lambda: make_up(shape), 1)
            took = best(lambda: build(path, shape), 1) - entries
            size = os.path.getsize(path)  # noqa: PTH202
            rows.append(("make its entries up", entries, ""))
            rows.append(("record them", took, "60000" if shape.tasks == 1_000_000 else ""))
            print(f"{size / 1e6:,.0f} MB, {size / shape.tasks:,.0f} bytes a task")
        rows += measure(path, shape, chosen.repeat)
    if chosen.json:
        print(json.dumps(rows))
        return
    print(
        f"{shape.tasks:,} tasks; Python {platform.python_version()}, SQLite {driver.sqlite_version}\n"
    )
    for name, took, bar in rows:
        verdict = "" if not bar else "ok" if took <= float(bar) else "OVER"
        print(f"{name:<60}{took:12,.2f} ms   {bar:>6} {verdict}")


if __name__ == "__main__":
    main()
