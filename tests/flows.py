"""A small project of tasks: every `run()` body notes its family, so that tests see what really ran.

Paths are relative: each test works in an empty directory of its own.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import luigi

from superluigi.parameters import BoolParameter, IntParameter, Parameter
from superluigi.targets import LocalFileTarget, LocalFolderTarget
from superluigi.tasks import (
    AtomicTaskWithMetadata,
    ExternalTask,
    Task,
    TaskWithMetadata,
    WrapperTask,
)

RAN = Path("ran.log")


def note(task: luigi.Task) -> None:
    with RAN.open("a") as file:
        file.write(f"{task.get_task_family()}\n")


def ran() -> list[str]:
    """The families whose `run()` was entered since the last call, in order."""
    lines = RAN.read_text().split() if RAN.exists() else []
    RAN.unlink(missing_ok=True)
    return lines


class Source(ExternalTask):
    def output(self):
        return LocalFileTarget("source.txt")


class Raw(AtomicTaskWithMetadata):
    """Copies the source."""

    def requires(self):
        return Source()

    def output(self):
        return LocalFileTarget("raw.txt")

    def run(self, input_path, output_path, metadata):
        note(self)
        text = Path(input_path).read_text()
        metadata["length"] = len(text)
        Path(output_path).write_text(text)


class Clean(AtomicTaskWithMetadata):
    """Keeps the first letter: other text may give the same bytes."""

    def requires(self):
        return {"raw": Raw()}

    def output(self):
        return LocalFolderTarget("clean")

    def run(self, input_path, output_path):
        note(self)
        Path(output_path, "first.txt").write_text(Path(input_path["raw"]).read_text()[:1])


class PlainCount(luigi.Task):
    """A plain Luigi task that writes its own output."""

    def requires(self):
        return Raw()

    def output(self):
        return luigi.LocalTarget("count.txt")

    def run(self):
        note(self)
        with self.output().open("w") as file:
            file.write(str(len(Path(self.input().path).read_text())))


class Both(WrapperTask):
    def requires(self):
        return [Clean(), PlainCount()]


class Report(AtomicTaskWithMetadata):
    """Two outputs, below a wrapper."""

    def requires(self):
        return {"both": Both(), "raw": Raw()}

    def output(self):
        return {"text": LocalFileTarget("report.txt"), "figure": LocalFileTarget("report.svg")}

    def run(self, input_path, output_path):
        note(self)
        Path(output_path["text"]).write_text(Path(input_path["raw"]).read_text().upper())
        Path(output_path["figure"]).write_text("<svg/>")


class Annotated(AtomicTaskWithMetadata):
    """Reads what often stays as it is, and adds to its sidecar."""

    def requires(self):
        return Clean()

    def output(self):
        return LocalFileTarget("annotated.txt")

    def run(self, input_path, output_path, metadata):
        note(self)
        metadata["note"] = "first"
        Path(output_path).touch()


class Exits(AtomicTaskWithMetadata):
    code = IntParameter()

    def output(self):
        return LocalFileTarget("exits.txt")

    def run(self, output_path):
        os._exit(self.code)


class Strays(AtomicTaskWithMetadata):
    """Writes to its target itself."""

    def output(self):
        return LocalFileTarget("strayed.txt")

    def run(self, output_path):
        note(self)
        Path("strayed.txt").write_text("half of it")


class InPlace(Task):
    """Writes to its target itself, as Luigi recommends; fails when told so by a file."""

    def requires(self):
        return Raw()

    def output(self):
        return LocalFileTarget("inplace.txt")

    def run(self):
        note(self)
        with self.output().temporary_path() as path:
            Path(path).write_text(
                Path("next.txt").read_text() if Path("next.txt").exists() else "1"
            )
        if Path("fail").exists():
            message = "told to fail"
            raise ValueError(message)


class InPlaceWithMetadata(TaskWithMetadata):
    def output(self):
        return LocalFileTarget("inplace_meta.txt")

    def run(self, metadata):
        note(self)
        metadata["answer"] = 42
        Path(self.output().path).write_text("42")


class Failing(AtomicTaskWithMetadata):
    """Fails as often as a file says, then succeeds; always without one."""

    def requires(self):
        return Raw()

    def output(self):
        return LocalFileTarget("failing.txt")

    def run(self, output_path):
        note(self)
        Path(output_path).write_text("half")
        left = Path("failures_left.txt")
        if not left.exists() or int(left.read_text()) > 0:
            if left.exists():
                left.write_text(str(int(left.read_text()) - 1))
            message = "bad luck"
            raise ValueError(message)


class AfterFailing(AtomicTaskWithMetadata):
    def requires(self):
        return [Failing(), Clean()]

    def output(self):
        return LocalFileTarget("after.txt")

    def run(self, output_path):
        note(self)
        Path(output_path).write_text("after")


class WritesNothing(AtomicTaskWithMetadata):
    def output(self):
        return LocalFileTarget("nothing.txt")

    def run(self, output_path):
        note(self)


class PlainWritesNothing(luigi.Task):
    def output(self):
        return luigi.LocalTarget("plain_nothing.txt")

    def run(self):
        note(self)


class Dies(AtomicTaskWithMetadata):
    def output(self):
        return LocalFileTarget("dies.txt")

    def run(self, output_path):
        note(self)
        os._exit(3)


class Sleeps(AtomicTaskWithMetadata):
    worker_timeout = 1

    def output(self):
        return LocalFileTarget("sleeps.txt")

    def run(self, output_path):
        note(self)
        time.sleep(60)


class FailsWithTimeout(AtomicTaskWithMetadata):
    worker_timeout = 60

    def output(self):
        return LocalFileTarget("fails_with_timeout.txt")

    def run(self, output_path):
        message = "in a task with worker_timeout"
        raise ValueError(message)


class Part(AtomicTaskWithMetadata):
    n = IntParameter()

    def output(self):
        return LocalFileTarget(f"part{self.n}.txt")

    def run(self, output_path):
        note(self)
        Path(output_path).write_text(f"{self.n} {Path('salt').exists()}")


class Dynamic(AtomicTaskWithMetadata):
    """Finds out while running what it needs."""

    def output(self):
        return LocalFileTarget("dynamic.txt")

    def run(self, output_path):
        note(self)
        first = yield Part(n=1)
        rest = yield {"two": Part(n=2), "three": Part(n=3)}
        Path(output_path).write_text(
            f"{first.path} {sorted(target.path for target in rest.values())}"
        )


class FailsInGenerator(AtomicTaskWithMetadata):
    def output(self):
        return LocalFileTarget("generator.txt")

    def run(self, output_path):
        yield Part(n=1)
        message = "in the generator"
        raise ValueError(message)


class FailsInComplete(AtomicTaskWithMetadata):
    def output(self):
        return LocalFileTarget("complete.txt")

    def complete(self):
        message = "in complete()"
        raise ValueError(message)


class FailsInRequires(AtomicTaskWithMetadata):
    def requires(self):
        message = "in requires()"
        raise ValueError(message)

    def output(self):
        return LocalFileTarget("requires.txt")


class Numbered(AtomicTaskWithMetadata):
    """One path for every number."""

    n = IntParameter()

    def output(self):
        return LocalFileTarget("numbered.txt")

    def run(self, output_path):
        note(self)
        Path(output_path).write_text(str(self.n))


class ClaimsToo(AtomicTaskWithMetadata):
    def output(self):
        return LocalFileTarget("numbered.txt")


class TwoClaims(WrapperTask):
    def requires(self):
        return [Numbered(n=1), ClaimsToo()]


class OwnComplete(AtomicTaskWithMetadata):
    """Complete when a file says so, whatever its output."""

    def output(self):
        return LocalFileTarget("own.txt")

    def complete(self):
        with Path("asked.log").open("a") as file:
            file.write("asked\n")
        return Path("own_is_complete").exists()

    def run(self, output_path):
        note(self)
        Path(output_path).write_text("own")
        Path("own_is_complete").touch()


class NoOutput(Task):
    def run(self):
        note(self)


class Configured(AtomicTaskWithMetadata):
    word = Parameter()

    def output(self):
        return LocalFileTarget(f"configured_{self.word}.txt")

    def run(self, output_path):
        note(self)
        Path(output_path).write_text(self.word)


class Prints(AtomicTaskWithMetadata):
    loud = BoolParameter(default=False)

    def output(self):
        return LocalFileTarget("prints.txt")

    def run(self, output_path):
        note(self)
        sys.stdout.write("a line of the task's own\n")
        Path(output_path).write_text("x")


class Yesterday(AtomicTaskWithMetadata):
    """Each day needs the day before, for ever; what is complete ends it."""

    day = IntParameter()

    def requires(self):
        return Yesterday(day=self.day - 1)

    def lineage_requires(self):
        return []

    def output(self):
        return LocalFileTarget(f"day{self.day}.txt")

    def run(self, output_path):
        note(self)
        Path(output_path).write_text(str(self.day))
