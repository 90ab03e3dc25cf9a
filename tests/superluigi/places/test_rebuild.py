"""A catalog that was lost is rebuilt from the sidecars, and then answers and decides as the old one did."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from superluigi import plan_task, run_task
from superluigi.parameters import IntParameter
from superluigi.sidecar import MAX_SIDECAR_BYTES
from superluigi.targets import LocalFileTarget, LocalFolderTarget
from superluigi.tasks import AtomicTaskWithMetadata, ExternalTask
from superluigi_catalog import Catalog, PlaceUnknown
from superluigi_catalog.upkeep import Progress
from tests import flows
from tests.superluigi.places.conftest import B, C, lose_catalog

SHAPE: list[list[int]] = []


class LostOrigin(ExternalTask):
    def output(self):
        return LocalFileTarget("origin.txt")


class LostStep(AtomicTaskWithMetadata):
    i = IntParameter()

    def requires(self):
        return {f"at{j}": LostOrigin() if j < 0 else LostStep(i=j) for j in SHAPE[self.i]}

    def output(self):
        if self.i % 3 == 2:
            return LocalFolderTarget(f"out/step{self.i}", metadata_inside=self.i % 2 == 0)
        return LocalFileTarget(f"out/step{self.i}.txt")

    def run(self, input_path, output_path):
        text = f"{self.i} of {sorted(input_path)}"
        if self.i % 3 == 2:
            output_path = f"{output_path}/part.txt"
        Path(output_path).write_text(text)


def told(catalog: Catalog, steps: list[LostStep]) -> list[object]:
    """What a catalog answers about each step."""
    return [
        (
            {task.task_hash for task in catalog.upstream(step)},
            {task.task_hash for task in catalog.downstream(step)},
            {
                (edge.place, edge.upstream_hash, edge.fingerprint)
                for edge in catalog.upstream(step, 1).edges
            },
            getattr(catalog.who_made(step.output().path), "task_hash", None),
            {run.task_hash for run in catalog.who_read(step.output().path)},
            catalog.task(step).status,
            [
                # What was last seen of something that is gone is the catalog's own knowledge.
                (each.uri, each.state, each.fingerprint if each.state == "present" else None)
                for each in catalog.targets(step)
            ],
        )
        for step in steps
    ]


def decided(steps: list[LostStep]) -> list[object]:
    return [(d.task_hash, d.action, [r.kind for r in d.reasons]) for d in plan_task(steps)]


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    edges=st.lists(st.lists(st.integers(-1, 4), max_size=3, unique=True), min_size=6, max_size=6),
    deleted=st.sets(st.sampled_from([0, 1, 3, 5]), max_size=2),  # 2 keeps its sidecar inside
    edited=st.sets(st.sampled_from([0, 1, 3, 4]), max_size=1),
    touched=st.sets(st.sampled_from([0, 1, 3, 4]), max_size=1),
    moves_on=st.booleans(),
)
def test_the_rebuilt_catalog_decides_and_answers_as_the_old_one_did(
    tmp_path_factory: pytest.TempPathFactory, edges, deleted, edited, touched, moves_on
) -> None:
    before = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("graph"))
    try:
        Path("superluigi.toml").touch()
        Path("origin.txt").write_text("0")
        SHAPE[:] = [sorted({j for j in row if j < i}) for i, row in enumerate(edges)]
        steps = [LostStep(i=i) for i in range(6)]
        run_task(steps, progress=False)
        if moves_on:
            Path("origin.txt").write_text("other")
            run_task(steps, progress=False, rerun_on={"inputs"})
        for i in sorted(deleted):
            steps[i].output().remove()
        for i in sorted(edited | touched):
            if (path := Path(steps[i].output().path)).exists():
                path.write_text("edited") if i in edited else os.utime(path, ns=(1, 1))
        plans = decided(steps)
        with Catalog() as catalog:
            answers = told(catalog, steps)
        lose_catalog()
        with Catalog() as catalog:
            done = catalog.rebuild(".")
            assert (done.found, done.problems) == (6, ())
            assert (done.missing, done.changed) == (
                len(deleted),
                len(edited - deleted),
            )
            assert told(catalog, steps) == answers
        assert decided(steps) == plans
    finally:
        os.chdir(before)


def test_what_has_not_changed_is_not_read_again(built: Path) -> None:
    lose_catalog()
    steps: list[Progress] = []
    with Catalog() as catalog:
        first = catalog.rebuild("data", progress=steps.append)
        again = catalog.rebuild("data")
        assert (first.recorded, first.unchanged, again.recorded, again.unchanged) == (3, 0, 0, 3)
        assert steps[-1].done == 3
        sidecar = Path("data/b.txt.metadata.json")
        sidecar.write_text(sidecar.read_text().replace('"letters": 1', '"letters": 7'))
        assert catalog.rebuild("data").recorded == 1


def test_a_rebuild_that_died_goes_on_where_it_was(built: Path, monkeypatch) -> None:
    monkeypatch.setattr(sys.modules["superluigi_catalog.upkeep.rebuild"], "_PORTION", 1)
    lose_catalog()

    class Died(BaseException):
        pass

    def die(progress: Progress) -> None:
        raise Died

    with Catalog() as catalog:
        with pytest.raises(Died):
            catalog.rebuild("data", progress=die)
        done = catalog.rebuild("data")
        assert (done.recorded, done.unchanged) == (2, 1)
        assert len(catalog.tasks()) == 3


HOSTILE = {
    "empty": (b"", "broken"),
    "truncated": (b'{"format": "superluigi-sidecar/1", "task_ha', "broken"),
    "nan": (b'{"format": "superluigi-sidecar/1", "x": NaN}', "broken"),
    "deep": (b'{"format": "superluigi-sidecar/1", "x": ' + b"[" * 100_000, "broken"),
    "other": (b'{"name": "a package of somebody"}', "foreign"),
    "binary": (bytes(range(256)), "broken"),
    "newer": (b'{"format": "superluigi-sidecar/2"}', "newer"),
    "huge": (b" " * (MAX_SIDECAR_BYTES + 1), "oversize"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_cannot_be_used_is_listed_and_harms_nothing(built: Path, name: str) -> None:
    data, problem = HOSTILE[name]
    Path("data/sub").mkdir()
    Path("data/sub/x.txt").write_text("x")
    Path("data/sub/x.txt.metadata.json").write_bytes(data)
    lose_catalog()
    with Catalog() as catalog:
        for _ in range(2):  # it is listed again, although it is not read again
            done = catalog.rebuild("data")
            assert [(each.path, each.problem) for each in done.problems] == [
                ("data/sub/x.txt.metadata.json", problem)
            ]
            assert done.problems[0].text
        assert len(catalog.tasks()) == 3


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("path", "../../etc/b.txt", "broken"),
        ("path", "data/a.txt", "foreign"),
        ("path", "s3://lake/other.txt", "foreign"),
        ("path", "elsewhere/b.txt", None),
    ],
    ids=["climbing", "of-another-target", "of-another-store", "moved"],
)
def test_a_sidecar_speaks_only_for_what_it_lies_beside(built: Path, key, value, problem) -> None:
    sidecar = Path("data/b.txt.metadata.json")
    document = json.loads(sidecar.read_text())
    document["output"][key] = value
    sidecar.write_text(json.dumps(document))
    lose_catalog()
    with Catalog() as catalog:
        done = catalog.rebuild("data")
        assert [each.problem for each in done.problems] == [problem] * (problem is not None)
        if problem is None:
            assert catalog.task("data/b.txt").family == "B"


def test_a_copy_beside_other_bytes_is_refused(built: Path) -> None:
    Path("copy").mkdir()
    shutil.copy("data/b.txt.metadata.json", "copy/b.txt.metadata.json")
    lose_catalog()
    with Catalog() as catalog:
        assert [each.problem for each in catalog.rebuild("copy").problems] == ["foreign"]
        Path("copy/b.txt").write_text("other bytes")
        (problem,) = catalog.rebuild("copy").problems
        assert "other bytes stand here" in problem.text
        shutil.copy("data/b.txt", "copy/b.txt")
        assert catalog.rebuild("copy").problems == ()
        assert catalog.who_made("copy/b.txt").family == "B"


@pytest.mark.parametrize("first", ["data", "copy"])
def test_a_copy_does_not_take_the_place_of_the_original(built: Path, first: str) -> None:
    shutil.copytree("data", "copy")
    lose_catalog()
    with Catalog() as catalog:
        catalog.rebuild(first)
        catalog.rebuild(".")
        assert [each.uri for each in catalog.targets(B().task_id)] == ["data/b.txt"]


def test_a_folder_that_cannot_be_looked_into_is_listed(built: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may look into every folder")
    Path("data/closed").mkdir(mode=0)
    with Catalog() as catalog:
        (problem,) = catalog.rebuild("data").problems
        assert (problem.path, problem.problem) == ("data/closed", "unreadable")


@pytest.mark.parametrize("root", ["nowhere", "gs://bucket/x", "s3://no such bucket/"])
def test_a_root_that_is_none_is_an_error(built: Path, root: str) -> None:
    with Catalog() as catalog, pytest.raises(PlaceUnknown):
        catalog.rebuild(root)


def test_links_and_pipes_are_left_alone(built: Path) -> None:
    Path("data/loop").symlink_to(".")
    os.mkfifo("data/pipe.txt.metadata.json")
    Path("data/link.txt.metadata.json").symlink_to("b.txt.metadata.json")
    lose_catalog()
    with Catalog() as catalog:
        done = catalog.rebuild("data")
        assert (done.found, done.recorded, done.problems) == (3, 3, ())


def test_a_project_that_moved_is_known_where_it_is_now(built: Path) -> None:
    lose_catalog()
    moved = built.with_name("moved")
    built.rename(moved)
    os.chdir(moved)
    with Catalog() as catalog:
        assert catalog.rebuild(".").problems == ()
    assert plan_task(B()).to_run == ()
    assert flows.ran() == []


def test_a_plan_does_not_believe_the_sidecar_of_another_target(built: Path) -> None:
    shutil.copy("data/a.txt.metadata.json", "data/b.txt.metadata.json")
    lose_catalog()
    (decision,) = [each for each in plan_task(B()) if each.family == "B"]
    assert decision.reasons[0].kind == "adopted"
    assert "the sidecar of 'data/a.txt'" in decision.reasons[0].text


def test_what_was_accepted_is_accepted_after_a_rebuild(built: Path) -> None:
    Path("data/b.txt").write_text("mended by hand")
    with Catalog() as catalog:
        catalog.verify()
        catalog.accept("data/b.txt", reason="checked")
        before = [(t.task_hash, t.status, t.current_run_id) for t in catalog.tasks()]
    plans = decided([C()])
    assert plan_task(B()).to_run == ()
    lose_catalog()
    with Catalog() as catalog:
        assert catalog.rebuild("data").problems == ()
        after = [(t.task_hash, t.status, t.current_run_id) for t in catalog.tasks()]
        assert sorted(after) == sorted(before)
        assert catalog.verify().problems == ()
    assert decided([C()]) == plans
