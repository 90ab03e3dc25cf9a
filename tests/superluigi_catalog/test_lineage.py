from __future__ import annotations

import time
from dataclasses import replace

import pytest

from superluigi_catalog import Catalog, InputEntry, LineageEdge, TaskNotFound
from tests.superluigi_catalog.entries import (
    KIND,
    a_run,
    a_task,
    an_input,
    an_output,
    fingerprint_of,
    hash_of,
    record_chain,
    run_id_of,
    uri_of,
)


def up(catalog: Catalog, name: str, depth: int | None = None) -> list[str]:
    return [task.params.get("name", "?") for task in catalog.upstream(hash_of(name), depth)]


def down(catalog: Catalog, name: str, depth: int | None = None) -> list[str]:
    return [task.params.get("name", "?") for task in catalog.downstream(hash_of(name), depth)]


def test_nearest_first_and_without_the_root(catalog: Catalog) -> None:
    record_chain(catalog, "a", "b", "c", "d")
    assert up(catalog, "d") == ["c", "b", "a"]
    assert down(catalog, "a") == ["b", "c", "d"]
    assert up(catalog, "a") == []
    lineage = catalog.upstream("data/d.csv")
    assert lineage.root.task_hash == hash_of("d")
    assert lineage.depths == {hash_of(name): depth for depth, name in enumerate("dcba")}
    assert hash_of("a") in lineage
    assert lineage.tasks[0] in lineage
    assert hash_of("d") not in lineage
    assert len(lineage) == 3


def test_only_as_far_as_asked(catalog: Catalog) -> None:
    record_chain(catalog, "a", "b", "c", "d")
    assert up(catalog, "d", 2) == ["c", "b"]
    assert down(catalog, "a", 1) == ["b"]
    assert up(catalog, "d", 0) == []
    assert up(catalog, "d", 99) == ["c", "b", "a"]
    with pytest.raises(ValueError, match="0 or more"):
        up(catalog, "d", -1)
    with pytest.raises(TaskNotFound):
        catalog.upstream("data/none.csv")


def test_an_edge_says_through_what_it_leads(catalog: Catalog) -> None:
    catalog.record_tasks([a_task("a"), a_task("b", {"features": "a"})])
    before = LineageEdge(hash_of("b"), hash_of("a"), "features", "required")
    assert catalog.upstream(hash_of("b")).edges == (before,)
    catalog.finish_run(a_run("a"))
    catalog.finish_run(a_run("b", [an_input("a", place="features")]))
    edge = replace(before, uri=uri_of("a"), fingerprint=fingerprint_of("a1"), run_id=run_id_of("a"))
    assert catalog.upstream(hash_of("b")).edges == (edge,)
    assert catalog.downstream(hash_of("a")).edges == (edge,)
    assert catalog.downstream(hash_of("a")).to_dicts()[0]["through"] == [edge.to_dict()]


def test_several_targets_of_one_place_are_several_edges(catalog: Catalog) -> None:
    catalog.record_tasks([a_task("a"), a_task("b", {"both": "a"})])
    inputs = [
        replace(an_input("a", place=f"both.{number}"), uri=f"a{number}.csv") for number in (10, 9)
    ]
    catalog.finish_run(a_run("b", inputs))
    assert [edge.uri for edge in catalog.upstream(hash_of("b")).edges] == ["a9.csv", "a10.csv"]


def test_lineage_is_what_was_consumed_not_what_is_required(catalog: Catalog) -> None:
    shared = [("", "fixed.csv", KIND)]
    catalog.record_tasks(
        [
            a_task("required", outputs=shared),
            a_task("maker", outputs=shared),
            a_task("b", {"x": "required"}),
        ]
    )
    made_by_another = replace(an_input("maker", place="x"), uri="fixed.csv")
    catalog.finish_run(a_run("b", [made_by_another]))
    assert up(catalog, "b") == ["maker"]
    assert catalog.upstream(hash_of("b")).edges[0].kind == "consumed"
    assert down(catalog, "required") == []
    # The next run consumes what is required.
    catalog.finish_run(
        a_run("b", [replace(made_by_another, task_hash=hash_of("required"))], number=2)
    )
    assert up(catalog, "b") == ["required"]
    assert catalog.upstream(hash_of("b")).edges[0].kind == "required"


def test_declaring_again_does_not_undo_what_was_consumed(catalog: Catalog) -> None:
    entry = a_task("b", {"x": "required"})
    catalog.record_tasks([entry, a_task("required"), a_task("maker")])
    catalog.finish_run(a_run("b", [an_input("maker", place="x")]))
    catalog.record_tasks([replace(entry, luigi_task_id="new")])
    assert up(catalog, "b") == ["maker"]


def test_a_run_known_before_its_task_was_declared(catalog: Catalog) -> None:
    catalog.finish_run(a_run("b", [an_input("a", place="x")]))
    assert catalog.upstream(hash_of("b")).edges[0].kind == "consumed"
    catalog.record_tasks([a_task("b", {"x": "a"}), a_task("a")])
    assert [edge.kind for edge in catalog.upstream(hash_of("b")).edges] == ["required"]


def test_a_required_task_without_outputs_stays_in_the_lineage(catalog: Catalog) -> None:
    catalog.record_tasks(
        [a_task("raw"), a_task("wrapper", ["raw"], outputs=[]), a_task("b", {"": "wrapper"})]
    )
    catalog.finish_run(a_run("b", [an_input("raw", place="0")]))
    assert up(catalog, "b") == ["wrapper", "raw"]


def test_an_input_that_no_task_made_is_no_edge(catalog: Catalog) -> None:
    catalog.record_tasks([a_task("raw"), a_task("b", {"x": "raw"})])
    catalog.finish_run(a_run("b", [InputEntry("x", uri_of("raw"), KIND, "sha256:r")]))
    assert up(catalog, "b") == ["raw"]
    assert catalog.upstream(hash_of("b")).edges[0].uri is None


def test_what_run_yielded_is_upstream(catalog: Catalog) -> None:
    catalog.record_tasks([a_task("a"), a_task("y"), a_task("b", ["a"])])
    catalog.finish_run(
        a_run(
            "b",
            ["a", an_input("y", place="yielded.0")],
            dynamic_upstream=(("yielded.0", hash_of("y")),),
        )
    )
    assert up(catalog, "b") == ["a", "y"]
    assert [edge.kind for edge in catalog.upstream(hash_of("b")).edges] == ["required", "yielded"]
    assert down(catalog, "y") == ["b"]
    catalog.finish_run(a_run("b", ["a"], number=2))
    assert up(catalog, "b") == ["a"]


def test_a_failed_run_changes_no_lineage(catalog: Catalog) -> None:
    catalog.record_tasks([a_task("a"), a_task("b", ["a"])])
    catalog.finish_run(a_run("b", ["a"]))
    catalog.finish_run(a_run("b", ["other"], number=2, status="failed"))
    assert up(catalog, "b") == ["a"]


def test_a_task_required_in_two_places_is_one_task_with_two_edges(catalog: Catalog) -> None:
    catalog.record_tasks([a_task("a"), a_task("b", {"x": "a", "y": "a"})])
    lineage = catalog.upstream(hash_of("b"))
    assert (len(lineage), [edge.place for edge in lineage.edges]) == (1, ["x", "y"])


def test_downstream_leaves_out_other_inputs_of_the_consumers(catalog: Catalog) -> None:
    catalog.record_tasks([a_task("a"), a_task("other"), a_task("b", ["a", "other"])])
    lineage = catalog.downstream(hash_of("a"))
    assert [edge.upstream_hash for edge in lineage.edges] == [hash_of("a")]


def test_a_ladder_of_diamonds_is_quick_however_many_ways_there_are(catalog: Catalog) -> None:
    rungs = 40
    entries = [a_task("0.l"), a_task("0.r")]
    for rung in range(1, rungs):
        below = [f"{rung - 1}.l", f"{rung - 1}.r"]
        entries += [a_task(f"{rung}.l", below), a_task(f"{rung}.r", below)]
    catalog.record_tasks(entries)
    start = time.perf_counter()
    assert len(catalog.upstream(hash_of(f"{rungs - 1}.l"))) == 2 * (rungs - 1)
    assert len(catalog.downstream(hash_of("0.l"))) == 2 * (rungs - 1)
    assert len(catalog.upstream(hash_of(f"{rungs - 1}.l"), depth=rungs)) == 2 * (rungs - 1)
    text = catalog.upstream(hash_of(f"{rungs - 1}.l")).to_text()
    assert time.perf_counter() - start < 1
    assert len(text.splitlines()) < 5 * rungs


def test_a_long_chain_is_followed_to_its_end_and_drawn(catalog: Catalog) -> None:
    names = [str(number) for number in range(3000)]
    catalog.record_tasks(
        a_task(name, names[i - 1 : i] if i else ()) for i, name in enumerate(names)
    )
    lineage = catalog.upstream(hash_of(names[-1]))
    assert len(lineage) == 2999
    assert lineage.depths[hash_of("0")] == 2999
    assert str(lineage).endswith("… and 2800 more\n")


def test_a_cycle_in_the_records_ends(catalog: Catalog) -> None:
    catalog.record_tasks([a_task("a", ["b"]), a_task("b", ["a"])])
    assert up(catalog, "a") == ["b"]
    assert up(catalog, "a", 5) == ["b"]
    assert "see above" in catalog.upstream(hash_of("a")).to_text()


def test_lineage_from_several_outputs_of_one_task(catalog: Catalog) -> None:
    outputs = [an_output("left", place="left"), an_output("right", place="right")]
    catalog.record_tasks([a_task("split", outputs=[(o.place, o.uri, KIND) for o in outputs])])
    catalog.finish_run(a_run("split", outputs=outputs))
    catalog.record_tasks([a_task("b", {"x": "split"})])
    read = [
        replace(an_input("split", place=f"x.{o.place}"), uri=o.uri, fingerprint=o.fingerprint)
        for o in outputs
    ]
    catalog.finish_run(a_run("b", read))
    edges = catalog.upstream(hash_of("b")).edges
    assert [(edge.place, edge.kind, edge.uri) for edge in edges] == [
        ("x.left", "required", "data/left.csv"),
        ("x.right", "required", "data/right.csv"),
    ]


def test_wide_fan_in_is_settled_quickly(catalog: Catalog) -> None:
    names = [f"in{number}" for number in range(2000)]
    catalog.record_tasks([a_task("wide", names), *map(a_task, names)])
    start = time.process_time()
    catalog.finish_run(a_run("wide", names))
    assert time.process_time() - start < 1
    assert len(catalog.upstream(hash_of("wide"))) == 2000
