"""The graphs of the table, and that a tool which does not do its work gets no figure."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.bench.building import built
from benchmarks.bench.peers import OWN, TOOLS, tool_named
from benchmarks.bench.programs import GRAPHS, Graph, phases_of, smaller_than
from benchmarks.programs.graphs.shapes import needs

HERE = Path(sys.executable).parent


def endings(tool, graph: Graph) -> list[tuple[str, str, str]]:
    return [
        (setting, phase, usage.ended)
        for setting, phase, usage in built(tool, HERE, graph, tool.settings[0])
    ]


def test_the_diamond_is_the_one_that_the_goals_are_for() -> None:
    diamond = needs("diamond", 10)
    assert len(diamond) == 501
    assert sum(map(len, diamond.values())) == 22_550


@pytest.mark.parametrize("shape", ["wide", "diamond", "chain"])
def test_what_a_task_needs_stands_before_it(shape: str) -> None:
    seen: set[str] = set()
    for name, upstream in needs(shape, 3).items():
        assert seen.issuperset(upstream)
        seen.add(name)


@pytest.mark.parametrize(
    ("name", "shape"),
    [("luigi", "wide"), ("superluigi", "diamond"), ("superluigi", "chain")],
    ids=["luigi-wide", "diamond", "chain"],
)
def test_a_graph_is_built_and_then_nothing_runs_again(name: str, shape: str) -> None:
    tool = tool_named(name)
    other = tool.settings[1].name
    found = endings(tool, Graph(shape, 2, "a small one"))
    assert found == [
        ("default", "cold", "ok"),
        ("default", "check", "ok"),
        (other, "check", "ok"),
    ]


def test_a_tool_that_leaves_out_tasks_gets_no_figure() -> None:
    idle = replace(OWN, command=("{bin}/python", "-c", "pass"))
    assert endings(idle, Graph("wide", 2, "")) == [("default", "cold", "wrong")]


def test_a_tool_that_runs_again_gets_no_figure_for_its_check() -> None:
    writing = "from pathlib import Path; [Path('out', n + '.txt').write_text(n) for n in ('leaf-0', 'root')]"
    eager = replace(OWN, command=("{bin}/python", "-c", writing))
    graph = Graph("wide", 1, "")
    *_, (_, phase, usage) = built(eager, HERE, graph, eager.settings[0])
    assert (phase, usage.ended, usage.said) == ("check", "wrong", "2 tasks ran again")


def test_every_tool_has_a_program() -> None:
    folder = Path("benchmarks/programs/graphs")
    assert {path.name for path in folder.glob("with_*")} == {
        f"with_{tool.distribution}.py" for tool in TOOLS
    }


@pytest.mark.parametrize("graph", GRAPHS[:5], ids=lambda graph: graph.name)
def test_tasks_and_edges_are_counted_as_they_are_made(graph: Graph) -> None:
    assert graph.tasks == len(graph.files())
    assert graph.edges == sum(map(len, needs(graph.shape, graph.size).values()))


def test_a_diamond_is_larger_than_a_chain_of_more_tasks() -> None:
    named = {graph.name: graph for graph in GRAPHS}
    assert named["diamond-10"] not in smaller_than(named["chain-2000"])
    assert named["wide-1000"] in smaller_than(named["chain-2000"])


def test_a_larger_graph_comes_after_the_smaller_ones_that_tell_whether_to_try() -> None:
    for number, graph in enumerate(GRAPHS):
        alike = [other for other in smaller_than(graph) if other.shape == graph.shape]
        assert all(GRAPHS.index(other) < number for other in alike)


def test_only_our_own_defaults_are_asked_for_why() -> None:
    (first, *_) = GRAPHS
    assert "why" in phases_of(first, OWN, OWN.settings[0])
    assert "why" not in phases_of(first, tool_named("doit"), tool_named("doit").settings[0])
