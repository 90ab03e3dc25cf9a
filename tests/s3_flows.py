"""The small project of `tests.flows`, on S3."""

from __future__ import annotations

from pathlib import Path

from superluigi.targets import LocalFileTarget, S3ObjectTarget, S3PrefixTarget
from superluigi.tasks import AtomicTaskWithMetadata, ExternalTask, Task
from tests.flows import note


class S3Source(ExternalTask):
    def output(self):
        return S3ObjectTarget("lake", "source.txt")


class S3Raw(AtomicTaskWithMetadata):
    def requires(self):
        return S3Source()

    def output(self):
        return S3ObjectTarget("lake", "raw/raw.txt")

    def run(self, input_path, output_path, metadata):
        note(self)
        text = Path(input_path).read_text()
        metadata["length"] = len(text)
        Path(output_path).write_text(text)


class S3Clean(AtomicTaskWithMetadata):
    def requires(self):
        return {"raw": S3Raw()}

    def output(self):
        return S3PrefixTarget("lake", "clean")

    def run(self, input_path, output_path):
        note(self)
        text = Path(input_path["raw"]).read_text()
        Path(output_path, "first.txt").write_text(text[:1])
        Path(output_path, "sub").mkdir()
        Path(output_path, "sub", "second.txt").write_text(text[:1] * 2)


class S3Report(AtomicTaskWithMetadata):
    def requires(self):
        return [S3Clean(), S3Raw()]

    def output(self):
        return S3ObjectTarget("lake", f"report/{self.task_id}.txt")

    def run(self, input_path, output_path):
        note(self)
        if Path("fail").exists():
            message = "told to fail"
            raise ValueError(message)
        folder, raw = input_path
        first = Path(folder, "first.txt").read_text()
        Path(output_path).write_text(first + Path(raw).read_text())


class LocalReport(AtomicTaskWithMetadata):
    def requires(self):
        return [S3Clean(), S3Raw()]

    def output(self):
        return LocalFileTarget("local-report.txt")

    def run(self, input_path, output_path):
        note(self)
        folder, raw = input_path
        first = Path(folder, "first.txt").read_text()
        Path(output_path).write_text(first + Path(raw).read_text())


class S3InPlace(Task):
    def requires(self):
        return S3Raw()

    def output(self):
        return S3ObjectTarget("lake", "inplace.txt")

    def run(self):
        note(self)
        with self.output().open("w") as file:
            file.write(Path("next.txt").read_text() if Path("next.txt").exists() else "1")
        if Path("fail").exists():
            message = "told to fail"
            raise ValueError(message)
