"""Random graphs, random changes: after every build nothing is stale, and the plan was what ran."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from luigi.task_register import Register

from superluigi import plan_task, run_task
from superluigi.task_runner.explaining import live_plan
from superluigi_catalog import Catalog
from tests.dying import die_before
from tests.superluigi.planning.random_model import Model
from tests.superluigi.planning.random_steps import (
    REQUIRES,
    YIELDS,
    step,
    take_log,
    write_module,
)

SIZE = 6
ROOT = SIZE - 1
STEPS = st.integers(0, ROOT)
WORDS = st.sampled_from("abc")
SOME_STEPS = st.lists(
    st.lists(st.integers(-1, ROOT - 1), max_size=3, unique=True), min_size=SIZE, max_size=SIZE
)
TRIGGERS = st.sets(st.sampled_from(["code", "missing_anywhere", "output"]))
FORCE = st.sampled_from(
    ["force", "force_upstream", "force_upstream_to_task", "force_upstream_to_task_cls"]
)


class Histories(RuleBasedStateMachine):
    """A project in a folder of its own, and what its people do to it."""

    @initialize(requires=SOME_STEPS, yields=SOME_STEPS, triggers=TRIGGERS)
    def start(self, requires: list[list[int]], yields: list[list[int]], triggers: set[str]) -> None:
        self.before = Path.cwd()
        self.registered = list(Register._reg)
        self.folder = tempfile.mkdtemp()
        os.chdir(self.folder)
        sys.path.insert(0, self.folder)
        sys.dont_write_bytecode, self.writes_bytecode = True, sys.dont_write_bytecode
        Path("superluigi.toml").touch()
        Path("origin.txt").write_text("a")
        REQUIRES[:] = [sorted({j for j in row if j < i}) for i, row in enumerate(requires)]
        REQUIRES[ROOT] = sorted({*REQUIRES[ROOT], ROOT - 1})
        YIELDS[:] = [
            sorted({j for j in row if 0 <= j < i} - {*REQUIRES[i]}) for i, row in enumerate(yields)
        ]
        self.model = Model(frozenset({"missing", "inputs", *triggers}), {})
        for i in range(SIZE):
            self.edit_code(i, "a")
        self.build(ROOT)

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            os.chdir(self.before)
            sys.path.remove(self.folder)
            sys.dont_write_bytecode = self.writes_bytecode
            for i in range(SIZE):
                sys.modules.pop(f"random_step{i}", None)
            Register._reg[:] = self.registered
            Register.clear_instance_cache()
            shutil.rmtree(self.folder)

    @rule(text=WORDS)
    def change_the_source(self, text: str) -> None:
        Path("origin.txt").write_text(text)

    @rule(i=STEPS)
    def delete(self, i: int) -> None:
        self.model.delete(i)

    @rule(i=STEPS)
    def touch(self, i: int) -> None:
        if Path(f"step{i}.txt").exists():
            Path(f"step{i}.txt").touch()

    @rule(i=STEPS, text=WORDS)
    def edit_by_hand(self, i: int, text: str) -> None:
        self.model.edit(i, f"{text} by hand")

    @rule(i=STEPS)
    def lose_a_sidecar(self, i: int) -> None:
        Path(f"step{i}.txt.metadata.json").unlink(missing_ok=True)

    @rule(i=STEPS, word=WORDS)
    def edit_code(self, i: int, word: str) -> None:
        self.model.words[i] = word
        write_module(i, word)

    @precondition(lambda self: self.knows_what_was_yielded())
    @rule()
    def lose_the_catalog(self) -> None:
        self.model.lose_catalog()
        self.remove_catalog()
        plan_task([step(i) for i in range(SIZE)])  # reads the sidecars while they are there
        for i in range(SIZE):
            self.model.look(i)

    @precondition(lambda self: self.knows_what_was_yielded())
    @rule()
    def rebuild_the_catalog(self) -> None:
        self.model.lose_catalog()
        self.remove_catalog()
        with Catalog() as catalog:
            catalog.rebuild(Path())

    @rule(i=STEPS)
    def accept(self, i: int) -> None:
        with live_plan([step(ROOT)], rerun_on=self.model.rerun_on) as plan:
            verdict = plan.planning.verdicts.get(step(i).task_id)
            self.model.look(ROOT)
            stands = verdict is not None and not verdict.is_missing
            if stands and all(o.state.run is not None for o in verdict.task.outputs):
                plan.accept(verdict, reason="it is right")
                self.model.accept(i)

    @precondition(lambda self: self.model.accepted)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        i = data.draw(st.sampled_from(sorted(self.model.accepted)))
        with Catalog() as catalog:
            catalog.withdraw(step(i).task_id)
        self.model.withdraw(i)

    @rule(i=STEPS, force=FORCE)
    def force(self, i: int, force: str) -> None:
        if i in required_by(ROOT):
            self.build(ROOT, **self.force_arguments(i, force))

    @rule(i=STEPS)
    def build_a_part(self, i: int) -> None:
        self.build(i)

    @rule(at=st.integers(1, 60), i=STEPS, force=st.none() | FORCE)
    def crash(self, at: int, i: int, force: str | None) -> None:
        options = self.force_arguments(i, force) if i in required_by(ROOT) else {}
        die_before(at, lambda: self.run(ROOT, **options), within=Path(self.folder))
        self.model.crashed(ROOT, list(take_log()))

    @rule()
    def build_all(self) -> None:
        self.build(ROOT)

    def build(self, root: int, **force: Any) -> None:
        before = self.model.begin(root)
        planned = plan_task(step(root), rerun_on=self.model.rerun_on, **force)
        list(take_log())
        result = self.run(root, **force)
        rows = list(take_log())
        entered = {step(row["i"]).task_id for row in rows}
        assert len(entered) == len(rows)
        assert entered == {decision.task_hash for decision in result.ran}
        assert {d.task_hash for d in planned.to_run} <= entered
        may_run = {d.task_hash for d in (*planned.to_run, *planned.maybe)}
        assert entered & {*planned.by_hash} <= may_run
        excused = self.excused(root, planned, before, rows, force)
        self.model.check_built(root, rows, before, excused)
        assert not list(Path().glob(".superluigi-*"))
        assert self.run(root).ran == ()
        assert list(take_log()) == []

    def run(self, root: int, **force: Any) -> Any:
        return run_task(step(root), rerun_on=self.model.rerun_on, progress=False, **force)

    def excused(
        self, root: int, planned: Any, before: Any, rows: list[dict[str, Any]], force: Any
    ) -> set[int]:
        """What had to run whether or not it was stale."""
        if "force_upstream" in force:
            return set(range(SIZE))
        found = {i for i in range(SIZE) if is_forced(planned, i)}
        working = {i for i in range(SIZE) if is_working(planned, i)} | {row["i"] for row in rows}
        needed = {root} | {j for i in working for j in REQUIRES[i] + YIELDS[i]}
        if "missing_anywhere" in self.model.rerun_on:
            needed = {*range(SIZE)}
        found |= {i for i in needed if before.texts.get(i) is None}
        if "output" in self.model.rerun_on:
            # What yielded it runs, so that it is made again, and then finds it as it was.
            found |= {i for i in range(SIZE) if self.yielded(i) & before.edited}
        return found

    def knows_what_was_yielded(self) -> bool:
        """Only a sidecar can tell an empty catalog of a task that no `requires()` names."""
        yielded = {j for i in range(SIZE) for j in self.yielded(i)}
        return all(Path(f"step{j}.txt.metadata.json").exists() for j in yielded)

    def yielded(self, i: int) -> set[int]:
        return {j for record in self.model.of(i) for j in record.yielded}

    def force_arguments(self, i: int, force: str | None) -> dict[str, Any]:
        values = {"force_upstream_to_task": step(i), "force_upstream_to_task_cls": type(step(i))}
        return {force: values.get(force, True)} if force else {}

    def remove_catalog(self) -> None:
        for path in Path(".superluigi").glob("catalog.db*"):
            path.unlink()


def required_by(root: int) -> set[int]:
    return {root}.union(*(required_by(j) for j in REQUIRES[root] if j >= 0))


def is_forced(planned: Any, i: int) -> bool:
    decision = planned.by_hash.get(step(i).task_id)
    return decision is not None and "forced" in {reason.kind for reason in decision.reasons}


def is_working(planned: Any, i: int) -> bool:
    decision = planned.by_hash.get(step(i).task_id)
    return decision is not None and decision.action != "skip"


PROFILE: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck)}


class Briefly(Histories):
    """A few histories, the same in every run; a failure is told as it was found, not first made small."""


Briefly.TestCase.settings = settings(
    max_examples=15,
    stateful_step_count=12,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    **PROFILE,
)
test_random_graphs = Briefly.TestCase
Histories.TestCase.settings = settings(
    max_examples=400, stateful_step_count=25, print_blob=True, **PROFILE
)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
class TestManyHistories(Histories.TestCase):
    """As many as a few minutes allow, other ones in every run."""
