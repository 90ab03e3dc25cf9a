"""What a sidecar says of a run."""

from __future__ import annotations

import getpass
import hashlib
import importlib.resources
import json
import os
import platform
import re
import socket
from pathlib import Path
from typing import Any

import jsonschema
import luigi
import pytest

from superluigi import run_task
from superluigi.parameters import (
    BoolParameter,
    DateParameter,
    Parameter,
    ParameterVisibility,
)
from superluigi.targets import LocalFileTarget, LocalFolderTarget
from superluigi.tasks import AtomicTaskWithMetadata, ExternalTask, Task, TaskWithMetadata

pytestmark = pytest.mark.usefixtures("project")

UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


class Features(ExternalTask):
    def output(self):
        return LocalFileTarget("features.csv")


class Model(AtomicTaskWithMetadata):
    def output(self):
        return LocalFolderTarget("model")

    def run(self, output_path):
        Path(output_path, "weights.bin").write_bytes(b"\0\1")
        Path(output_path, "deep").mkdir()
        Path(output_path, "deep", "config.json").write_text("{}")


class Predictions(AtomicTaskWithMetadata):
    date = DateParameter()
    version = Parameter(default="4")
    verbose = BoolParameter(significant=False)
    route = Parameter(default="north", visibility=ParameterVisibility.HIDDEN)
    password = Parameter(default="s3cret", visibility=ParameterVisibility.PRIVATE)
    token = Parameter(default="t0ken", visibility=ParameterVisibility.PRIVATE, significant=False)

    def requires(self):
        return {"features": Features(), "model": Model()}

    def output(self):
        return {
            "table": LocalFileTarget(f"out/{self.task_id}.csv"),
            "report": LocalFileTarget("out/report.txt"),
        }

    def run(self, input_path, output_path, metadata):
        rows = Path(input_path["features"]).read_text().split()
        metadata["row_count"] = len(rows)
        Path(output_path["table"]).write_text("predicted")
        Path(output_path["report"]).write_text("fine")


@pytest.fixture(autouse=True)
def _features(project: Path) -> None:
    (project / "features.csv").write_text("a b c")


def predictions(**params: Any) -> Predictions:
    return Predictions(date=DateParameter().parse("2022-12-15"), **params)


def schema() -> Any:
    text = (
        importlib.resources.files("superluigi_catalog").joinpath("sidecar.schema.json").read_text()
    )
    return json.loads(text)


def made_by_run() -> dict[str, Any]:
    Model().run()
    predictions().run()
    return predictions().output()["table"].metadata()


def made_by_run_task() -> dict[str, Any]:
    run_task(predictions(), progress=False)
    return predictions().output()["table"].metadata()


@pytest.mark.parametrize("made", [made_by_run, made_by_run_task])
def test_a_sidecar_says_who_made_what_from_what(made: Any) -> None:
    found = made()
    task = predictions()
    model = Model().output().metadata()
    expected = {
        "format": "superluigi-sidecar/1",
        "task_hash": task.task_id,
        "family": "Predictions",
        "module": Predictions.__module__,
        "params": {"date": "2022-12-15", "version": "4", "route": "north"},
        "insignificant_params": {"verbose": "False"},
        "upstream": {"features": Features().task_id, "model": Model().task_id},
        "row_count": 3,
    }
    assert {key: found[key] for key in expected} == expected
    assert list(found)[-1] == "row_count"
    features, folder = found["inputs"]
    assert features == {
        "place": "features",
        "path": "features.csv",
        "type": "LocalFileTarget",
        "fingerprint": f"sha256:{hashlib.sha256(b'a b c').hexdigest()}",
        "size_bytes": 5,
        "etag": None,
        "version_id": None,
        "task_hash": Features().task_id,
        "run_id": None,
    }
    assert folder["place"] == "model"
    assert folder["fingerprint"] == model["output"]["fingerprint"]
    assert (folder["task_hash"], folder["run_id"]) == (Model().task_id, model["run_id"])
    report = task.output()["report"].metadata()
    assert found["output"] == {
        "type": "LocalFileTarget",
        "place": "table",
        "path": f"out/{task.task_id}.csv",
        "fingerprint": f"sha256:{hashlib.sha256(b'predicted').hexdigest()}",
        "size_bytes": 9,
        "siblings": [
            {
                "place": "report",
                "path": "out/report.txt",
                "fingerprint": report["output"]["fingerprint"],
            }
        ],
        "mtime_ns": Path(f"out/{task.task_id}.csv").stat().st_mtime_ns,
    }
    assert report["run_id"] == found["run_id"]
    assert UUID7.fullmatch(found["run_id"])
    assert TIME.fullmatch(found["started_at"])
    assert TIME.fullmatch(found["ended_at"])
    assert found["started_at"] <= found["ended_at"]
    assert 0 <= found["duration_s"] < 5
    assert found["reason"]["kind"] == "missing"


def test_only_a_build_of_ours_has_an_id() -> None:
    assert made_by_run()["build_id"] is None
    Path("out/report.txt").unlink()
    assert UUID7.fullmatch(made_by_run_task()["build_id"])


def test_a_folders_sidecar_names_its_files() -> None:
    Model().run()
    output = Model().output().metadata()["output"]
    assert output["file_count"] == 2
    assert output["size_bytes"] == 4
    assert output["fingerprint"].startswith("tree-sha256:")
    digests = [f"sha256:{hashlib.sha256(data).hexdigest()}" for data in (b"{}", b"\0\1")]
    assert output["contents"] == [
        {"path": "deep/config.json", "size_bytes": 2, "fingerprint": digests[0]},
        {"path": "weights.bin", "size_bytes": 2, "fingerprint": digests[1]},
    ]


def test_the_code_is_named_by_its_parts_without_their_text() -> None:
    code = made_by_run()["code"]
    assert code["fingerprint"].startswith("code1:")
    parts = {part["name"].rpartition(".")[2]: part for part in code["parts"]}
    assert {"run", "output", "requires"} <= set(parts)
    assert parts["run"]["file"].endswith("test_document.py")
    assert parts["run"]["line"] > 1
    assert set(parts["run"]) == {"name", "file", "line", "fingerprint"}


def test_the_environment_is_recorded() -> None:
    environment = made_by_run()["environment"]
    assert environment["python"] == platform.python_version()
    assert environment["luigi"] == luigi.__version__
    assert environment["host"] == socket.gethostname()
    assert environment["user"] == getpass.getuser()
    assert environment["git_commit"] is None
    assert environment["packages"]["jsonschema"]


@pytest.mark.parametrize("made", [made_by_run, made_by_run_task])
def test_private_parameters_are_nowhere(made: Any) -> None:
    made()
    for path in Path().rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert b"s3cret" not in data
            assert b"t0ken" not in data
    assert predictions(password="other").task_id == predictions().task_id


@pytest.mark.parametrize("made", [made_by_run, made_by_run_task])
def test_every_sidecar_keeps_the_published_schema(made: Any) -> None:
    made()
    validator = jsonschema.Draft202012Validator(schema())
    sidecars = [*Path().glob("*.metadata.json"), *Path("out").glob("*.metadata.json")]
    assert len(sidecars) == 3
    for path in sidecars:
        validator.validate(json.loads(path.read_text()))


def test_announcements_keep_the_published_schema() -> None:
    validator = jsonschema.Draft202012Validator(schema())
    seen = []

    class Announces(Task):
        def output(self):
            return LocalFileTarget("in_place.txt")

        def run(self):
            seen.append(json.loads(self.output().read_next()))
            Path("in_place.txt").write_text("x")

    Path("in_place.txt").write_text("old")
    Announces().run()
    pending = Model().output().begin_output("run")
    Path(pending.path, "f").touch()
    validator.validate(seen[0])
    assert (seen[0]["state"], seen[0]["family"]) == ("running", "Announces")
    assert "stash" in seen[0]
    pending.discard()


def test_references_do_not_nest() -> None:
    class Chained(AtomicTaskWithMetadata):
        n = luigi.IntParameter()

        def requires(self):
            return [Chained(n=self.n - 1), Features()] if self.n else Features()

        def output(self):
            return LocalFileTarget(f"chained{self.n}.txt")

        def run(self, output_path):
            Path(output_path).write_text("x")

    run_task(Chained(n=12), progress=False)
    sizes = [Path(f"chained{n}.txt.metadata.json").stat().st_size for n in range(1, 13)]
    assert max(sizes) - min(sizes) < 200


def test_metadata_begins_with_what_is_known() -> None:
    seen: dict[str, Any] = {}

    class Looks(TaskWithMetadata):
        def requires(self):
            return Features()

        def output(self):
            return LocalFileTarget("looks.txt")

        def run(self, metadata):
            seen.update(json.loads(json.dumps(metadata)))
            metadata["params"]["n"] = "spoilt"
            metadata["inputs"].clear()
            Path("looks.txt").touch()

    Looks().run()
    found = Looks().output().metadata()
    assert seen["task_hash"] == Looks().task_id
    assert seen["inputs"][0]["path"] == "features.csv"
    assert {key: found[key] for key in seen} == seen
    assert "ended_at" not in seen


def test_paths_outside_the_project_are_absolute(tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")

    class Outside(AtomicTaskWithMetadata):
        def output(self):
            return [LocalFileTarget(outside / "x"), LocalFileTarget(Path.cwd() / "inside")]

        def run(self, output_path):
            for path in output_path:
                Path(path).touch()

    Outside().run()
    assert Outside().output()[0].metadata()["output"]["path"] == str(outside / "x")
    assert Outside().output()[1].metadata()["output"]["path"] == "inside"


def test_files_are_made_with_the_users_umask() -> None:
    before = os.umask(0o027)
    try:
        Model().run()
        Path("plain").touch()
        expected = Path("plain").stat().st_mode
        for path in ("model.metadata.json", "model/weights.bin"):
            assert Path(path).stat().st_mode == expected
    finally:
        os.umask(before)
