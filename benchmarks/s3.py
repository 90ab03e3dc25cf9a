"""S3 targets at a distance: requests, seconds, and our own CPU seconds, against the bars that we set.

    python benchmarks/s3.py [--light] [plan] [others] [run] [folder] [large] [hand_out]

The store is moto's server in a process of its own, with 20 ms before each answer but for `large`. It shares the
machine, and takes more CPU for most requests than we do: its share is printed beside ours, and where it is the
larger one, the seconds are the server's. `--light` measures against `programs/light_s3.py` instead, which
checks nothing and takes a tenth of that.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAMS = Path(__file__).parent / "programs"
DELAY_MS = 20
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}
MEGABYTE = 1_000_000


class Store:
    """The server."""

    def __init__(self, port: int, pid: int) -> None:
        self.port = port
        self.pid = pid

    def cpu_s(self) -> float:
        """What it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def tell(self, what: str) -> int:
        """Ask for something of `programs/s3_server.py`; the requests since it was asked last."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        connection.request("OPTIONS", f"/{what}")
        answer = connection.getresponse().read()
        connection.close()
        return int(answer)


@contextlib.contextmanager
def served(program_name: str) -> Iterator[Store]:
    """A server, to which the environment points."""
    program = [sys.executable, str(PROGRAMS / program_name)]
    with subprocess.Popen(
        program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        store = Store(int(process.stdout.readline()), process.pid)
        os.environ |= ENVIRONMENT | {"AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{store.port}"}
        client().create_bucket(Bucket="lake")
        try:
            yield store
        finally:
            process.kill()


def client() -> Any:
    """A client like any other program's."""
    import boto3

    return boto3.client("s3")


def boto3_with_threads() -> Any:
    """One with a connection for each of 16 threads."""
    import boto3
    from botocore.config import Config

    return boto3.client("s3", config=Config(max_pool_connections=16))


def cpu_s() -> float:
    """Of this process and the children that ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


@dataclass(frozen=True)
class Measured:
    """One row."""

    requests: int
    seconds: float
    cpu_s: float
    server_cpu_s: float


def measure(store: Store, work: Callable[[], object]) -> Measured:
    """What it costs."""
    store.tell("count")
    server, cpu, begun = store.cpu_s(), cpu_s(), time.perf_counter()
    work()
    seconds = time.perf_counter() - begun
    return Measured(store.tell("count"), seconds, cpu_s() - cpu, store.cpu_s() - server)


def show(what: str, measured: Measured, bar: str = "", kept: bool | None = None) -> None:
    """One row."""
    verdict = "" if kept is None else "ok" if kept else "OVER"
    print(
        f"{what:44} {measured.requests:>7,} {measured.seconds:>7.2f} s "
        f"{measured.cpu_s:>6.2f} s cpu {measured.server_cpu_s:>6.2f} s server's  {bar:24} {verdict}",
        flush=True,
    )


def build(task: Any, **options: Any) -> None:
    """A build that says nothing."""
    from superluigi import run_task

    run_task(task, progress=False, **options)


def bench_plan(store: Store) -> None:
    """Up-to-date targets in one prefix."""
    import s3_tasks

    from superluigi import plan_task

    for count, most_requests, most_s in ((1_000, 5, 0.5), (10_000, 15, 2.5)):
        store.tell(f"fill/{count}")
        task = s3_tasks.Reader(count=count)
        first = measure(store, lambda task=task: plan_task(task))
        show(f"{count:,} foreign objects, planned first", first)
        shutil.rmtree(".superluigi/cache", ignore_errors=True)
        Path(task.output().path).write_text("adopted: nothing is downloaded for this benchmark")
        build(task)
        again = measure(store, lambda task=task: plan_task(task))
        kept = again.requests <= most_requests and again.seconds <= most_s
        show(
            f"{count:,} up-to-date targets, planned",
            again,
            f"<= {most_requests}, {most_s} s",
            kept,
        )


def bench_others(store: Store) -> None:
    """What others do to see whether objects are there."""
    store.tell("fill/1000")
    sample = [f"raw/{number:05}.csv" for number in range(100)]
    plain = client()

    def one_head_one_list() -> None:
        for key in sample:
            plain.head_object(Bucket="lake", Key=key)
            plain.list_objects_v2(Bucket="lake", Prefix=f"{key}/", MaxKeys=1)

    show(
        "100 objects: a HEAD and a LIST each",
        measure(store, one_head_one_list),
        "x 10 for 1,000",
        None,
    )
    try:
        from luigi.contrib.s3 import S3Client, S3Target
    except ImportError:
        print("luigi.contrib.s3 cannot be imported: no row for it")
        return
    contrib = S3Client("testing", "testing", endpoint_url=os.environ["AWS_ENDPOINT_URL_S3"])

    def luigi_exists() -> None:
        for key in sample:
            S3Target(f"s3://lake/{key}", client=contrib).exists()

    show(
        "100 objects: luigi.contrib.s3 exists()",
        measure(store, luigi_exists),
        "x 10 for 1,000",
        None,
    )


def bench_run(store: Store) -> None:
    """Two hundred tasks that read and write S3, with one worker and with four; then again."""
    import s3_tasks

    count, seconds = 200, {}
    store.tell(f"fill/{count}")
    for workers in (1, 4):
        for name in ("cache", "catalog.db"):
            shutil.rmtree(f".superluigi/{name}", ignore_errors=True)
            Path(f".superluigi/{name}").unlink(missing_ok=True)
        for key in [
            row["Key"]
            for row in client().list_objects_v2(Bucket="lake", Prefix="clean/").get("Contents", ())
        ]:
            client().delete_object(Bucket="lake", Key=key)
        Path(f"clean-{count}.txt").unlink(missing_ok=True)
        task = s3_tasks.AllClean(count=count)
        cold = measure(store, lambda task=task, n=workers: build(task, num_workers=n))
        seconds[workers] = cold.seconds
        # One request more is the plan's listing.
        bar = "<= 4 requests a task + 1" if workers == 1 else ">= 3 x one worker"
        kept = cold.requests <= 4 * count + 1 if workers == 1 else seconds[1] >= 3 * cold.seconds
        show(f"{count} tasks, S3 in and out, {workers} workers", cold, bar, kept)
    again = measure(store, lambda: build(s3_tasks.AllClean(count=count)))
    show(f"{count} tasks, up to date", again, "<= 5", again.requests <= 5)


def bench_folder(store: Store) -> None:
    """A thousand small files as a prefix."""
    from superluigi.targets import S3PrefixTarget

    target, size, count = S3PrefixTarget("lake", "folder"), 10_000, 1_000

    def publish() -> None:
        pending = target.begin_output("run")
        for number in range(count):
            Path(pending.path, f"{number:04}.bin").write_bytes(os.urandom(size))
        content = pending.seal()
        output = {"fingerprint": content.fingerprint}
        pending.prepare(
            {
                "format": "superluigi-sidecar/1",
                "task_hash": "0" * 32,
                "family": "F",
                "params": {},
                "upstream": {},
                "inputs": [],
                "run_id": "run",
                "started_at": "2026-01-05T08:12:31.123456Z",
                "ended_at": "2026-01-05T08:12:31.123456Z",
                "output": {"type": "S3PrefixTarget", "place": "", "path": target.uri, **output},
            }
        )
        pending.commit()
        pending.discard()

    plain = boto3_with_threads()
    data = os.urandom(size)
    keys = [f"theirs/{number:04}.bin" for number in range(count)]

    def their_work(call: Callable[[str], object]) -> Callable[[], object]:
        def work() -> None:
            with ThreadPoolExecutor(16) as pool:
                list(pool.map(call, keys))

        return work

    theirs = measure(
        store, their_work(lambda key: plain.put_object(Bucket="lake", Key=key, Body=data))
    )
    show(f"the same by boto3 in 16 threads ({count / theirs.seconds:.0f} a second)", theirs)
    theirs = measure(
        store, their_work(lambda key: plain.get_object(Bucket="lake", Key=key)["Body"].read())
    )
    show(f"and down, into memory ({count / theirs.seconds:.0f} a second)", theirs)
    up = measure(store, publish)
    show(
        f"{count:,} x 10 kB up ({count / up.seconds:.0f} a second)",
        up,
        ">= 350 a second",
        count / up.seconds >= 350,
    )
    shutil.rmtree(".superluigi/cache")
    down = measure(store, lambda: target.download("folder"))
    show(
        f"{count:,} x 10 kB down ({count / down.seconds:.0f} a second)",
        down,
        ">= 350 a second",
        count / down.seconds >= 350,
    )


def bench_large(store: Store) -> None:
    """One large object, without delay, against boto3's transfer at its best."""
    from boto3.s3.transfer import TransferConfig

    from superluigi.s3 import ObjectStore

    megabytes = 500
    with Path("large").open("wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(MEGABYTE))
    best = TransferConfig(
        multipart_threshold=32 << 20, multipart_chunksize=32 << 20, max_concurrency=8
    )
    plain, ours = client(), ObjectStore()
    works = {
        "up": (
            lambda: plain.upload_file("large", "lake", "theirs", Config=best),
            lambda: ours.put_file("lake", "ours", "large"),
        ),
        "down": (
            lambda: plain.download_file("lake", "theirs", "got-theirs", Config=best),
            lambda: ours.get_file("lake", "ours", "got-ours"),
        ),
    }
    for way, (their_work, our_work) in works.items():
        theirs = measure(store, their_work)
        show(f"{megabytes} MB {way}, boto3 ({megabytes / theirs.seconds:.0f} MB/s)", theirs)
        mine = measure(store, our_work)
        kept = mine.seconds <= 1.3 * theirs.seconds
        show(
            f"{megabytes} MB {way}, ours ({megabytes / mine.seconds:.0f} MB/s)",
            mine,
            "<= 1.3 x boto3",
            kept,
        )


def bench_hand_out(store: Store) -> None:
    """An input that is among the local copies, handed to a task as it is to one on S3."""
    from superluigi.targets import S3ObjectTarget

    megabytes, best_ms = 500, float("inf")
    with Path("large").open("wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(MEGABYTE))
    target = S3ObjectTarget("lake", "large")
    target.store.put_file("lake", "large", "large")
    copy = target.cache.fetch(target.store, "lake", "large")
    for number in range(20):
        directory = Path(f"task-{number}")
        directory.mkdir()
        begun = time.perf_counter()
        seen = target.cache.find(target.store, copy.stat)
        assert seen is not None
        target.cache.hand_out(seen, str(directory), "large")
        best_ms = min(best_ms, 1000 * (time.perf_counter() - begun))
    whole = Path("whole")
    whole.mkdir()
    look = measure(store, lambda: target.hand_out(str(whole)))
    verdict = "ok" if best_ms <= 5 else "OVER"
    print(f"{megabytes} MB to a task, without the look: {best_ms:.2f} ms  (<= 5 ms)  {verdict}")
    show(
        f"{megabytes} MB to a task, with a look at the store", look, "1 request", look.requests == 1
    )


def main() -> None:
    """Run what was asked for."""
    names = [name for name in sys.argv[1:] if not name.startswith("--")]
    chosen = names or ["plan", "others", "run", "folder", "large", "hand_out"]
    server = "light_s3.py" if "--light" in sys.argv else "s3_server.py"
    sys.path.insert(0, str(PROGRAMS))
    home = Path.cwd()
    for name in chosen:
        with tempfile.TemporaryDirectory(dir=home) as directory, served(server) as store:
            os.chdir(directory)
            Path("superluigi.toml").touch()
            is_near = name in ("large", "hand_out")
            store.tell(f"delay/{0 if is_near else DELAY_MS}")
            try:
                globals()[f"bench_{name}"](store)
            finally:
                os.chdir(home)


if __name__ == "__main__":
    main()
