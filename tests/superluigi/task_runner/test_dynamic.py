"""Dynamic dependencies: planned from the last run, never trusted beyond it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from superluigi import plan_task, run_task
from superluigi.errors import BuildFailed
from superluigi.parameters import IntParameter
from superluigi.targets import LocalFileTarget
from superluigi.tasks import AtomicTaskWithMetadata, ExternalTask, WrapperTask
from tests.flows import note, ran

MODES = pytest.mark.parametrize("num_workers", [1, 3])


class Wanted(ExternalTask):
    """Which shards the reader asks for."""

    def output(self):
        return LocalFileTarget("wanted.txt")


class ShardSource(ExternalTask):
    n = IntParameter()

    def output(self):
        return LocalFileTarget(f"shard{self.n}.src")


class Scale(AtomicTaskWithMetadata):
    """What every shard reads."""

    def output(self):
        return LocalFileTarget("scale.txt")

    def run(self, output_path):
        note(self)
        Path(output_path).write_text(Path("scale.src").read_text())


class Shard(AtomicTaskWithMetadata):
    """Keeps the first letter: other text may give the same bytes."""

    n = IntParameter()

    def requires(self):
        return [ShardSource(n=self.n), Scale()]

    def output(self):
        return LocalFileTarget(f"shard{self.n}.txt")

    def run(self, input_path, output_path):
        note(self)
        source, scale = (Path(path).read_text() for path in input_path)
        Path(output_path).write_text(source[:1] + scale)


class AllShards(WrapperTask):
    def requires(self):
        return [Shard(n=1), Shard(n=2)]


class ReadsShards(AtomicTaskWithMetadata):
    def requires(self):
        return Wanted()

    def output(self):
        return LocalFileTarget("read.txt")

    def run(self, input_path, output_path):
        numbers = [int(n) for n in Path(input_path).read_text().split()]
        shards = yield [Shard(n=n) for n in numbers]
        note(self)
        Path(output_path).write_text(" ".join(Path(s.path).read_text() for s in shards))


class ReadsAllShards(AtomicTaskWithMetadata):
    def output(self):
        return LocalFileTarget("read_all.txt")

    def run(self, output_path):
        yield AllShards()
        note(self)
        texts = [Path(f"shard{n}.txt").read_text() for n in (1, 2)]
        Path(output_path).write_text(" ".join(texts))


class RequiresScale(AtomicTaskWithMetadata):
    """Requires what its yielded shards read too."""

    def requires(self):
        return Scale()

    def output(self):
        return LocalFileTarget("requires_scale.txt")

    def run(self, output_path):
        shard = yield Shard(n=1)
        note(self)
        Path(output_path).write_text(Path(shard.path).read_text())


@pytest.fixture(autouse=True)
def _sources(_project: None) -> None:
    Path("wanted.txt").write_text("1 2")
    Path("scale.src").write_text("!")
    for n in (1, 2, 3):
        Path(f"shard{n}.src").write_text(f"a{n}")


def build(task: Any, **arguments: Any) -> list[str]:
    """The families whose bodies came to their end, which were those of the plan."""
    planned = plan_task(task, **_deciding(arguments))
    result = run_task(task, progress=False, **arguments)
    bodies = sorted(ran())
    assert bodies == sorted(decision.family for decision in result.ran)
    may_run = {d.task_hash for d in (*planned.to_run, *planned.maybe)}
    known = {decision.task_hash for decision in planned}
    assert {d.task_hash for d in result.ran} & known <= may_run
    assert {d.task_hash for d in planned.to_run} <= {d.task_hash for d in result.ran}
    assert not plan_task(task).has_work
    return bodies


def _deciding(arguments: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if name != "num_workers"}


@MODES
def test_an_input_of_a_yielded_task_that_changed_reruns_it_and_its_reader(num_workers: int) -> None:
    build(ReadsShards())
    Path("shard2.src").write_text("b2")
    planned = plan_task(ReadsShards())
    assert [(d.family, d.action) for d in planned if d.action != "skip"] == [
        ("Shard", "run"),
        ("ReadsShards", "maybe"),
    ]
    assert "which it yielded in its last run, will run" in str(planned)
    assert build(ReadsShards(), num_workers=num_workers) == ["ReadsShards", "Shard"]
    assert Path("read.txt").read_text() == "a! b!"


@MODES
def test_a_yielded_task_that_makes_the_same_bytes_cuts_off_its_reader(num_workers: int) -> None:
    build(ReadsShards())
    Path("shard2.src").write_text("another text")
    result = run_task(ReadsShards(), progress=False, num_workers=num_workers)
    assert ran() == ["Shard"]
    assert [d.family for d in result.unchanged] == ["ReadsShards"]


@MODES
def test_what_stands_above_a_yielded_task_is_remade_for_it(num_workers: int) -> None:
    build(ReadsShards())
    Path("scale.src").write_text("?")
    families = build(ReadsShards(), force_upstream_to_task_cls=Scale, num_workers=num_workers)
    assert families == ["ReadsShards", "Scale", "Shard", "Shard"]
    assert Path("read.txt").read_text() == "a? a?"


@MODES
def test_forcing_reaches_yielded_tasks(num_workers: int) -> None:
    everything = ["ReadsShards", "Scale", "Shard", "Shard"]
    build(ReadsShards())
    assert build(ReadsShards(), force_upstream=True, num_workers=num_workers) == everything
    assert build(ReadsShards(), force_upstream_to_task_cls=Shard, num_workers=num_workers) == [
        "ReadsShards",
        "Shard",
        "Shard",
    ]
    assert build(ReadsShards(), force=True, num_workers=num_workers) == ["ReadsShards"]


def test_forcing_everything_reaches_what_is_yielded_for_the_first_time() -> None:
    build(Shard(n=1))
    assert build(RequiresScale(), force_upstream=True) == ["RequiresScale", "Scale", "Shard"]


def test_a_yielded_task_follows_what_the_build_is_about_to_make() -> None:
    build(Shard(n=1))
    Path("scale.src").write_text("?")
    assert build(RequiresScale(), force_upstream_to_task_cls=Scale) == [
        "RequiresScale",
        "Scale",
        "Shard",
    ]
    assert Path("requires_scale.txt").read_text() == "a?"


@MODES
def test_a_deleted_yield_is_made_only_when_it_is_asked_for(num_workers: int) -> None:
    build(ReadsShards())
    Path("shard1.txt").unlink()
    assert build(ReadsShards(), num_workers=num_workers) == []
    planned = plan_task(ReadsShards(), force=True)
    assert {(d.family, d.action) for d in planned if d.action != "skip"} == {
        ("Shard", "maybe"),
        ("ReadsShards", "run"),
    }
    assert build(ReadsShards(), force=True, num_workers=num_workers) == ["ReadsShards", "Shard"]


def test_every_missing_yield_is_made_when_all_that_is_missing_shall_be() -> None:
    build(ReadsShards())
    Path("shard1.txt").unlink()
    arguments = {"rerun_on": {"missing_anywhere", "inputs"}}
    assert build(ReadsShards(), **arguments) == ["Shard"]


@MODES
def test_what_is_no_longer_asked_for_is_not_made(num_workers: int) -> None:
    build(ReadsShards())
    Path("wanted.txt").write_text("2 3")
    Path("shard1.src").write_text("b1")
    result = run_task(ReadsShards(), progress=False, num_workers=num_workers)
    assert sorted(ran()) == ["ReadsShards", "Shard"]
    assert Path("read.txt").read_text() == "a! a!"
    assert Path("shard1.txt").read_text() == "a!"
    (left,) = [d for d in result.skipped if d.reasons[0].kind == "not_yielded"]
    assert left.params == {"n": "1"}
    assert not plan_task(ReadsShards()).has_work


@MODES
def test_a_yield_that_cannot_be_made_blocks_its_reader_unless_it_runs_anyway(
    num_workers: int,
) -> None:
    build(ReadsShards())
    Path("shard1.src").unlink()
    Path("shard1.txt").write_text("edited")
    assert build(ReadsShards(), rerun_on={"inputs"}) == ["ReadsShards"]
    with pytest.raises(BuildFailed) as caught:
        run_task(
            ReadsShards(),
            force_upstream_to_task_cls=Shard,
            progress=False,
            num_workers=num_workers,
        )
    assert {d.family for d in caught.value.result.blocked} >= {"Shard", "ReadsShards"}
    Path("wanted.txt").write_text("2")
    assert run_task(ReadsShards(), progress=False, num_workers=num_workers).ok


@MODES
def test_a_yielded_wrapper_stands_for_what_it_wraps(num_workers: int) -> None:
    build(ReadsAllShards())
    Path("shard2.src").write_text("b2")
    assert build(ReadsAllShards(), num_workers=num_workers) == ["ReadsAllShards", "Shard"]
    assert Path("read_all.txt").read_text() == "a! b!"
    assert build(ReadsAllShards(), force_upstream=True, num_workers=num_workers) == [
        "ReadsAllShards",
        "Scale",
        "Shard",
        "Shard",
    ]


def test_a_yielded_task_whose_class_is_gone_is_told_and_watched_by_its_content(
    project: Path,
) -> None:
    class PassingShard(Shard):
        def requires(self):
            return ShardSource(n=self.n)

        def run(self, input_path, output_path):
            Path(output_path).write_text(Path(input_path).read_text())

    class ReadsPassing(AtomicTaskWithMetadata):
        def output(self):
            return LocalFileTarget("passing.txt")

        def run(self, output_path):
            shard = yield PassingShard(n=1)
            Path(output_path).write_text(Path(shard.path).read_text())

    run_task(ReadsPassing(), progress=False)
    PassingShard._visible_in_registry = False
    planned = plan_task(ReadsPassing())
    assert not planned.has_work
    assert [r.kind for d in planned if d.family == "ReadsPassing" for r in d.reasons] == [
        "yield_not_planned"
    ]
    Path("shard1.txt").write_text("edited")
    assert plan_task(ReadsPassing()).has_work


def test_yields_that_lead_in_a_circle_now_are_no_longer_expected(project: Path) -> None:
    class Turns(AtomicTaskWithMetadata):
        """Yielded by the other; then it requires it."""

        def requires(self):
            return TurnsBack() if Path("turned").exists() else []

        def output(self):
            return LocalFileTarget("turns.txt")

        def lineage_requires(self):
            return []

        def run(self, output_path):
            Path(output_path).write_text("")

    class TurnsBack(AtomicTaskWithMetadata):
        def output(self):
            return LocalFileTarget("turns_back.txt")

        def run(self, output_path):
            if not Path("turned").exists():
                yield Turns()
            Path(output_path).write_text("")

    run_task(TurnsBack(), progress=False)
    Path("turned").touch()
    Path("turns.txt").unlink()
    assert not plan_task(TurnsBack()).has_work
    assert run_task(TurnsBack(), force=True, progress=False).ok


@MODES
def test_what_was_yielded_is_watched_after_its_reader_was_cut_off(num_workers: int) -> None:
    build(ReadsShards())
    Path("shard2.src").write_text("another text")
    assert build(ReadsShards(), num_workers=num_workers) == ["Shard"]
    Path("shard2.src").write_text("b2")
    assert build(ReadsShards(), num_workers=num_workers) == ["ReadsShards", "Shard"]
    assert Path("read.txt").read_text() == "a! b!"


@MODES
def test_what_was_yielded_is_watched_after_the_catalog_was_lost(num_workers: int) -> None:
    build(ReadsShards())
    shutil.rmtree(".superluigi")
    Path("shard2.src").write_text("b2")
    assert build(ReadsShards(), num_workers=num_workers) == ["ReadsShards", "Shard"]
    assert Path("read.txt").read_text() == "a! b!"


@MODES
def test_waiting_for_what_it_yielded_costs_a_task_none_of_its_retries(num_workers: int) -> None:
    class FailsOnceAfterYield(AtomicTaskWithMetadata):
        def output(self):
            return LocalFileTarget("fails_once.txt")

        def run(self, output_path):
            yield Shard(n=1)
            yield Shard(n=2)
            if not Path("failed").exists():
                Path("failed").touch()
                message = "once"
                raise ValueError(message)
            Path(output_path).touch()

    events: list[dict[str, Any]] = []
    result = run_task(
        FailsOnceAfterYield(), retries=1, num_workers=num_workers, progress=events.append
    )
    assert result.ok
    started = [e["attempt"] for e in events if e["event"] == "run_started"]
    assert sorted(started)[-2:] == [1, 2]
