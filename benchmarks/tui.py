"""How long the terminal UI takes to answer a key, in a real pseudo-terminal, on a catalog of a million tasks.

Run: python benchmarks/tui.py [--tasks 1000000] [--catalog FILE]

A time is from writing the key to the last byte of what it paints: the screen has been quiet for 40 ms after it.
The catalog is made when the file is not there, which takes some minutes, and is kept.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from superluigi_catalog import Catalog, TaskEntry

ROWS, COLUMNS = 40, 120
WOVEN, WIDTH = 1_001, 40
QUIET_S = 0.04
FAMILIES = ("ExtractOrders", "CleanUsers", "JoinOrders", "Features", "TrainModel", "DailyReport")
REGIONS = ("eu-west-1", "eu-central-1", "us-east-1", "ap-south-1")
LIMITS_MS = {
    "j": 10,
    "k": 10,
    "G": 50,
    "letter": 50,
    "letter, while others commit": 50,
    "lineage": 300,
}


def main() -> None:
    """Measure, and print one line for each kind of key."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--catalog", type=Path)
    parser.add_argument("--repeats", type=int, default=10)
    asked = parser.parse_args()
    path = asked.catalog or Path(tempfile.gettempdir()) / f"superluigi-tui-{asked.tasks}.db"
    if not path.exists():
        make_catalog(path, asked.tasks)
    print(f"{asked.tasks:,} tasks, {COLUMNS}x{ROWS}, medians of {asked.repeats}")
    with_terminal(path, asked.repeats)


def make_catalog(path: Path, count: int) -> None:
    """Record tasks in chains of six."""
    began = time.perf_counter()
    unfinished = path.with_suffix(".part")
    unfinished.unlink(missing_ok=True)
    with Catalog(unfinished) as catalog:
        for first in range(0, count, 20_000):
            catalog.record_tasks(a_task(n) for n in range(first, min(first + 20_000, count)))
    for end in ("-wal", "-shm"):
        unfinished.with_name(unfinished.name + end).unlink(missing_ok=True)
    unfinished.rename(path)
    print(f"recorded {count:,} tasks in {time.perf_counter() - began:.0f} s")


def a_task(number: int) -> TaskEntry:
    """The task of a number; it requires the one before, where that is of the same chain."""
    family = FAMILIES[number % len(FAMILIES)]
    day = number // len(FAMILIES)
    return TaskEntry(
        task_hash=hash_of(number),
        family=family,
        module="flows.daily",
        params={
            "date": f"{2000 + day // 365 % 30}-{day // 31 % 12 + 1:02}-{day % 28 + 1:02}",
            "region": REGIONS[day % len(REGIONS)],
            "version": str(day % 17),
        },
        upstream=(("", hash_of(number - 1)),) if number % len(FAMILIES) else (),
        outputs=(("", f"data/{family}/{number}.parquet", "LocalFileTarget"),),
    )


def hash_of(number: int) -> str:
    """32 hex digits."""
    return hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()


class Screen:
    """The program in a pseudo-terminal."""

    def __init__(self, path: Path, route: str) -> None:
        self.began = time.perf_counter()
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color"}
        # As installed: with its modules compiled.
        for name in ("COLUMNS", "LINES", "PYTHONDONTWRITEBYTECODE"):
            environment.pop(name, None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "superluigi_tui", "--catalog", str(path), route],
            stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True,
        )  # fmt: skip
        os.close(slave)

    def until(self, text: str, patience_s: float = 60) -> float:
        """Wait until some text was painted; how many seconds after the start."""
        seen = b""
        while text.encode() not in seen:
            ready, _, _ = select.select([self._master], [], [], patience_s)
            assert ready, f"{text!r} never came: {seen[-500:]!r}"
            seen += os.read(self._master, 65536)
        return time.perf_counter() - self.began

    def settle(self, quiet_s: float = 0.5, patience_s: float = 5.0) -> None:
        """Wait until nothing is painted any more; not for ever: while others commit, something always is."""
        deadline = time.perf_counter() + patience_s
        while time.perf_counter() < deadline and select.select([self._master], [], [], quiet_s)[0]:
            os.read(self._master, 65536)

    def key(self, key: str, text: str = "") -> tuple[float, int]:
        """Press a key: milliseconds until the last byte that follows, and how many bytes.

        Args:
            text: Until this has been painted, if given.
        """
        began = last = time.perf_counter()
        os.write(self._master, key.encode())
        size, wait, seen = 0, 2.0, b""
        while select.select([self._master], [], [], wait)[0]:
            data = os.read(self._master, 65536)
            size, seen = size + len(data), seen + data
            last, wait = time.perf_counter(), QUIET_S
            if text and text.encode() in seen:
                break
        return 1000 * (last - began), size

    @property
    def resident_mb(self) -> float:
        """How much memory the process has."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(text.partition("VmRSS:")[2].split()[0]) / 1024

    @property
    def cpu_ms(self) -> float:
        """How much processor time it has taken; unlike the clock, it does not see what else goes on."""
        text = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2]
        return 1000 * sum(map(int, text.split()[11:13])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """End it."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        os.close(self._master)


def with_terminal(path: Path, repeats: int) -> None:
    """Start the program some times, then press keys."""
    starts, spent = [], []
    for _ in range(3):
        screen = Screen(path, "tasks")
        starts.append(1000 * screen.until("1 / "))
        spent.append(screen.cpu_ms)
        screen.close()
    tell("start to table", starts, 500, statistics.median(spent))
    screen = Screen(path, "tasks")
    screen.until("1 / ")
    screen.settle(3.0)
    for name, keys in {"j": "j", "k": "k", "page down": "\x1b[6~"}.items():
        before = screen.cpu_ms
        times = [screen.key(keys)[0] for _ in range(repeats)]
        tell(name, times, LIMITS_MS.get(name), (screen.cpu_ms - before) / repeats)
    before = screen.cpu_ms
    ends = [screen.key(key)[0] for _ in range(repeats) for key in ("G", "g")]
    tell("G", ends[::2], LIMITS_MS["G"], (screen.cpu_ms - before) / len(ends))
    tell("letter", list(letters(screen, repeats)), LIMITS_MS["letter"])
    with committing(path):
        name = "letter, while others commit"
        tell(name, list(letters(screen, repeats)), LIMITS_MS[name])
    memory = screen.resident_mb
    screen.close()
    tell("lineage of 1,000 tasks", list(lineages(path, repeats)), LIMITS_MS["lineage"])
    print(f"{'memory':<30}{memory:8.0f} MB   (at most 120)")


def lineages(path: Path, repeats: int) -> Iterator[float]:
    """Open the lineage of a task that was made from a thousand others, and go back."""
    with Catalog(path) as catalog:
        catalog.record_tasks(map(a_woven_task, range(WOVEN)))
    screen = Screen(path, f"tasks/{hash_of(-WOVEN)}")
    screen.until("Neighbours")
    screen.settle(1.0)
    for _ in range(repeats):
        yield screen.key("L", "1,001 tasks")[0]
        screen.settle()
        screen.key("\x1b")
        screen.settle()
    screen.close()


def a_woven_task(number: int) -> TaskEntry:
    """One of a graph in layers: each task requires three of the layer before."""
    layer, place = divmod(number, WIDTH)
    before = [(layer - 1) * WIDTH + (place + step) % WIDTH for step in (0, 1, 7)] if layer else []
    is_last = number == WOVEN - 1
    if is_last:
        before = list(range(WOVEN - 1 - WIDTH, WOVEN - 1))
    return TaskEntry(
        task_hash=hash_of(-number - 1),
        family="SourceTask" if layer else "WovenTask",
        module="flows.woven",
        params={"layer": str(layer), "place": str(place)},
        upstream=tuple((str(at), hash_of(-each - 1)) for at, each in enumerate(before)),
        outputs=(("", f"data/woven/{number}.parquet", "LocalFileTarget"),),
    )


def letters(screen: Screen, repeats: int) -> Iterator[float]:
    """Type a search, letter by letter."""
    screen.key("/")
    for _ in range(max(1, repeats // 5)):
        for letter in "features eu-west-1":
            yield screen.key(letter)[0]
        screen.settle()
        for _ in "features eu-west-1":
            screen.key("\x7f")
        screen.settle()
    screen.key("\r")
    screen.settle()


class committing:
    """While inside, a thread records a task every five milliseconds."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._record)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _record(self) -> None:
        number = 1 << 40
        with Catalog(self._path) as catalog:
            while not self._done.wait(0.005):
                catalog.record_tasks([a_task(number)])
                number += 1


def tell(name: str, times: list[float], limit: float | None, cpu: float | None = None) -> None:
    """Print the median, the worst, and the processor time where it was measured."""
    own = f"   processor {cpu:.1f}" if cpu is not None else ""
    said = f"   (at most {limit:g})" if limit else ""
    print(f"{name:<30}{statistics.median(times):8.1f} ms{said}   worst {max(times):.0f}{own}")


if __name__ == "__main__":
    main()
