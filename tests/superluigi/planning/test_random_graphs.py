"""Random graphs, random changes: after every build nothing is stale, and the plan was what ran."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from superluigi import plan_task, run_task
from superluigi.parameters import IntParameter
from superluigi.targets import LocalFileTarget
from superluigi.tasks import AtomicTaskWithMetadata, ExternalTask

GRAPH: list[list[int]] = []
"""What each node reads: earlier nodes, or -1 for the source."""
ENTERED: list[int] = []
SIZE = 7


def made(i: int, texts: list[str]) -> str:
    """What a node makes; every third one forgets most of what it reads, so that runs are cut off."""
    digest = hashlib.sha256("|".join([str(i), *texts]).encode()).hexdigest()
    return digest[:1] if i % 3 == 1 else digest


class Origin(ExternalTask):
    def output(self):
        return LocalFileTarget("origin.txt")


class Node(AtomicTaskWithMetadata):
    i = IntParameter()

    def requires(self):
        return [Origin() if j < 0 else Node(i=j) for j in GRAPH[self.i]]

    def output(self):
        return LocalFileTarget(f"node{self.i}.txt")

    def run(self, input_path, output_path):
        ENTERED.append(self.i)
        Path(output_path).write_text(made(self.i, [Path(p).read_text() for p in input_path]))


class Graphs(RuleBasedStateMachine):
    """The model is one line: what a node would be if all of it were made now."""

    @initialize(
        edges=st.lists(
            st.lists(st.integers(-1, SIZE - 2), max_size=3, unique=True),
            min_size=SIZE,
            max_size=SIZE,
        )
    )
    def start(self, edges: list[list[int]]) -> None:
        self.before = Path.cwd()
        self.directory = tempfile.mkdtemp()
        os.chdir(self.directory)
        Path("superluigi.toml").touch()
        GRAPH[:] = [sorted({j for j in row if j < i}) for i, row in enumerate(edges)]
        GRAPH[-1] = sorted({*GRAPH[-1], SIZE - 2})
        Path("origin.txt").write_text("0")
        self.build()

    def teardown(self) -> None:
        if hasattr(self, "directory"):
            os.chdir(self.before)
            shutil.rmtree(self.directory)

    @rule(text=st.sampled_from(["0", "1", "2"]))
    def change_the_source(self, text: str) -> None:
        Path("origin.txt").write_text(text)

    @rule(i=st.integers(0, SIZE - 1))
    def delete(self, i: int) -> None:
        Path(f"node{i}.txt").unlink(missing_ok=True)

    @rule(i=st.integers(0, SIZE - 1))
    def touch(self, i: int) -> None:
        if Path(f"node{i}.txt").exists():
            Path(f"node{i}.txt").touch()

    @rule(i=st.integers(0, SIZE - 1))
    def lose_a_sidecar(self, i: int) -> None:
        Path(f"node{i}.txt.metadata.json").unlink(missing_ok=True)

    @rule()
    def lose_the_catalog(self) -> None:
        if all(Path(f"node{i}.txt.metadata.json").exists() for i in self.reached()):
            for path in Path(".superluigi").glob("catalog.db*"):
                path.unlink()

    @rule(i=st.integers(0, SIZE - 1))
    def force_one(self, i: int) -> None:
        if i in self.reached():
            self.build(force_upstream_to_task=Node(i=i))

    @rule(i=st.integers(0, SIZE - 1))
    def build_only_a_part(self, i: int) -> None:
        run_task(Node(i=i), progress=False)

    @rule()
    def build(self, **options: object) -> None:
        root = Node(i=SIZE - 1)
        planned = plan_task(root, **options)
        ENTERED.clear()
        result = run_task(root, progress=False, **options)
        entered = {Node(i=i).task_id for i in ENTERED}
        assert len(entered) == len(ENTERED)
        assert entered == {decision.task_hash for decision in result.ran}
        assert {d.task_hash for d in planned.to_run} <= entered
        assert entered <= {d.task_hash for d in (*planned.to_run, *planned.maybe)}
        self.check_nothing_is_stale()
        assert run_task(root, progress=False).ran == ()

    def reached(self) -> set[int]:
        found: set[int] = set()
        pending = [SIZE - 1]
        while pending:
            i = pending.pop()
            if i >= 0 and i not in found:
                found.add(i)
                pending += GRAPH[i]
        return found

    def check_nothing_is_stale(self) -> None:
        origin = Path("origin.txt").read_text()
        texts: dict[int, str] = {}
        for i in range(SIZE):
            texts[i] = made(i, [origin if j < 0 else texts[j] for j in GRAPH[i]])
        for i in self.reached():
            path = Path(f"node{i}.txt")
            if path.exists():
                assert path.read_text() == texts[i], i
        assert Path(f"node{SIZE - 1}.txt").exists()

    @invariant()
    def nothing_temporary_stays(self) -> None:
        assert not list(Path().glob(".superluigi-*"))


Graphs.TestCase.settings = settings(
    max_examples=15,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
test_random_graphs = Graphs.TestCase
