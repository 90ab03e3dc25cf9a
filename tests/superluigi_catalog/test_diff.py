from __future__ import annotations

import json
import time
from typing import Any

import pytest

from superluigi_catalog import AmbiguousHash, Catalog, Diff, TaskNotFound
from tests.superluigi_catalog.entries import (
    CODE,
    ENVIRONMENT,
    a_build,
    a_run,
    a_task,
    an_input,
    at,
    fingerprint_of,
    hash_of,
    run_id_of,
)

Told = list[tuple[str, str, bool]]


def told(diff: Diff) -> Told:
    return [(each.kind, each.name, each.is_cause) for each in diff.differences]


def code(source: str, **more: str) -> dict[str, Any]:
    parts = [
        {
            "name": f"flows.{name}",
            "file": "flows.py",
            "line": 31,
            "fingerprint": f"code1:{text}",
            "source": f"def {name}():\n    return 1\n    # {text}\n",
        }
        for name, text in {"run": source, **more}.items()
    ]
    return {"fingerprint": f"code1:{source}", "parts": parts, "not_followed": []}


@pytest.fixture(autouse=True)
def declared(catalog: Catalog) -> None:
    catalog.record_tasks([a_task("raw"), a_task("clean", ["raw"]), a_task("model", {"x": "clean"})])


def record_version(catalog: Catalog, number: int, raw: str, **clean: Any) -> None:
    """Run `clean` and `model` once more, on this content of `raw`."""
    content = clean.pop("content", str(number))
    catalog.finish_run(a_run("raw", number=number, content=raw, minute=10 * number))
    catalog.finish_run(
        a_run(
            "clean",
            [an_input("raw", raw, number=number)],
            number=number,
            content=content,
            minute=10 * number + 1,
            **{"metadata": {"row_count": 1_204_882 - number}, "environment": ENVIRONMENT, **clean},
        )
    )
    catalog.finish_run(
        a_run(
            "model",
            [an_input("clean", content, "x", number=number)],
            number=number,
            content=content,
            minute=10 * number + 2,
            code=code("same"),
        )
    )


def runs(catalog: Catalog, name: str = "model") -> Diff:
    return catalog.diff(run_id_of(name, 1), run_id_of(name, 2))


def test_a_changed_input_from_outside_is_the_first_cause(catalog: Catalog) -> None:
    for number, raw in ((1, "1"), (2, "2")):
        record_version(catalog, number, raw)
        catalog.finish_run(a_run("raw", number=number, content=raw, status="adopted"))
    diff = runs(catalog)
    assert told(diff) == [
        ("unexplained", "", True),
        ("output", "", False),
        ("input", "raw", False),
        ("output", "", False),
        ("metadata", "row_count", False),
        ("input", "x", False),
        ("output", "", False),
    ]
    assert "row_count: 1,204,881 → 1,204,880" in diff.to_text()
    assert (diff.is_same, diff.compared) == (False, 3)


def test_an_input_that_nobody_made_is_named_with_its_path(catalog: Catalog) -> None:
    for number in (1, 2):
        outside = [an_input("raw", str(number))]
        outside = [
            type(each)(each.place, each.uri, each.kind, each.fingerprint) for each in outside
        ]
        catalog.finish_run(a_run("clean", outside, number=number, content=str(number)))
    diff = runs(catalog, "clean")
    assert diff.first_cause is not None
    assert diff.first_cause.text == (
        f"input raw (data/raw.csv): {fingerprint_of('raw1')[:19]} → {fingerprint_of('raw2')[:19]}"
    )


def test_nothing_upstream_of_equal_contents_is_looked_at(catalog: Catalog) -> None:
    record_version(catalog, 1, "1", content="same", code=code("a"), metadata={})
    record_version(catalog, 2, "2", content="same", code=code("b"), metadata={})
    diff = runs(catalog)
    assert (diff.is_same, diff.first_cause, diff.compared) == (True, None, 1)
    assert str(diff) == "No difference.\n"


def test_a_changed_function_is_shown_with_its_source(catalog: Catalog) -> None:
    record_version(catalog, 1, "1", code=code("a", helper="h", gone="g"))
    record_version(catalog, 2, "1", code=code("b", helper="h", new="n"))
    diff = runs(catalog)
    assert told(diff)[:3] == [
        ("function", "flows.gone", True),
        ("function", "flows.new", True),
        ("function", "flows.run", True),
    ]
    changed = diff.differences[2]
    assert "-    # a\n+    # b" in changed.detail
    assert changed.detail.startswith("--- flows.py:31\n+++ flows.py:31\n")
    text = diff.to_text()
    assert "  * function flows.gone gone\n  * function flows.new new\n" in text
    assert "+    # b" in text


def test_code_known_from_a_sidecar_only_has_no_source_to_show(catalog: Catalog) -> None:
    bare = {**CODE, "parts": [{**CODE["parts"][0], "fingerprint": "code1:q"}]}  # type: ignore[index]
    bare["parts"][0].pop("source")
    record_version(catalog, 1, "1", code=CODE)
    record_version(catalog, 2, "1", code=bare)
    cause = runs(catalog).first_cause
    assert cause is not None
    assert (cause.text, cause.detail) == ("function flows.Train.run changed", "")


def test_a_parameter_far_upstream_is_named_first(catalog: Catalog) -> None:
    for day in ("1", "2"):
        catalog.record_tasks(
            [
                a_task(f"c{day}", params={"day": day, "k": "v"}, family="Clean"),
                a_task(f"m{day}", {"x": f"c{day}"}, params={"depth": "3"}, family="Model"),
            ]
        )
        catalog.finish_run(a_run(f"c{day}"))
        catalog.finish_run(a_run(f"m{day}", [an_input(f"c{day}", place="x")]))
    diff = catalog.diff("data/m1.csv", hash_of("m2")[:8])
    assert diff.first_cause is not None
    assert diff.first_cause.text == "parameter day: 1 → 2"
    assert diff.first_cause.a.label.startswith("Clean ")
    assert (diff.a, diff.b) == ("data/m1.csv", hash_of("m2")[:8])


def test_tasks_that_never_ran_are_compared_as_declared(catalog: Catalog) -> None:
    catalog.record_tasks(
        [
            a_task("p", params={"n": "1"}),
            a_task("q", params={"n": "2"}),
            a_task("over p", ["p"], params={}),
            a_task("over q", {"p": "q", "more": "p"}, params={}),
        ]
    )
    diff = catalog.diff(hash_of("over p"), hash_of("over q"))
    assert told(diff) == [
        ("parameter", "n", True),
        ("input", "more", True),
        ("input", "p", False),
    ]
    assert diff.differences[1].text == "input more: none → required"
    catalog.finish_run(a_run("p"))
    both = catalog.diff(hash_of("p"), hash_of("q"))
    assert "status: ended well → no run" in both.to_text()


def test_an_environment_explains_what_nothing_else_does(catalog: Catalog) -> None:
    newer = {"python": "3.12.0", "pid": 7, "packages": {"pandas": "2.2.3", "numpy": "2"}}
    record_version(catalog, 1, "1", environment={**ENVIRONMENT, "pid": 6})
    record_version(catalog, 2, "1", environment=newer)
    diff = runs(catalog)
    assert told(diff)[:2] == [
        ("environment", "packages.numpy", True),
        ("environment", "python", True),
    ]
    assert diff.differences[0].text == "environment packages.numpy: none → 2"
    record_version(catalog, 3, "1", environment=newer, content="3", code=code("new"))
    later = catalog.diff(run_id_of("model", 2), run_id_of("model", 3))
    assert "environment" not in {each.kind for each in later.differences}


def test_what_nothing_explains_is_said_to_be_unexplained(catalog: Catalog) -> None:
    record_version(catalog, 1, "1")
    record_version(catalog, 2, "1")
    diff = runs(catalog)
    assert diff.first_cause is not None
    assert diff.first_cause.text.startswith("same parameters, code, inputs and environment")


def test_a_failure_is_a_difference(catalog: Catalog) -> None:
    record_version(catalog, 1, "1")
    catalog.finish_run(
        a_run("clean", ["raw"], number=9, status="failed", error_type="ValueError", minute=99)
    )
    diff = catalog.diff(run_id_of("clean", 1), run_id_of("clean", 9))
    assert diff.first_cause is not None
    assert (diff.first_cause.kind, diff.first_cause.text) == (
        "status",
        "status: ended well → ValueError",
    )


def test_builds_are_compared_by_what_they_asked_for_and_what_failed(catalog: Catalog) -> None:
    for number in (1, 2, 3):
        catalog.start_build(
            a_build(number, build_id=f"build-{number}-x", roots=(hash_of("model"),))
        )
    record_version(catalog, 1, "1")
    catalog.finish_run(
        a_run("model", [an_input("clean", "1", "x")], build_id="build-1-x", minute=19)
    )
    catalog.end_build("build-1-x", status="succeeded", ended_at=at(20), counts={})
    record_version(catalog, 2, "1", code=code("new"))
    catalog.end_build("build-2-x", status="succeeded", ended_at=at(30), counts={})
    diff = catalog.diff("build-1-", catalog.build("build-2-x"))
    assert diff.first_cause is not None
    assert diff.first_cause.kind == "unexplained"
    catalog.finish_run(
        a_run(
            "clean",
            ["raw"],
            number=3,
            status="failed",
            error_type="E",
            minute=33,
            build_id="build-3-x",
        )
    )
    catalog.end_build("build-3-x", status="failed", ended_at=at(40), counts={})
    third = catalog.diff("build-2-x", "build-3-x")
    assert told(third) == [("status", "", True)]
    assert {each.a.task_hash for each in third.differences} == {hash_of("clean")}


def test_what_only_one_build_asked_for_is_compared_with_its_family(catalog: Catalog) -> None:
    for number in (1, 2):
        name = f"day{number}"
        catalog.record_tasks([a_task(name, family="Daily", params={"day": str(number)})])
        catalog.start_build(a_build(number, build_id=f"build-{number}-x", roots=(hash_of(name),)))
        catalog.finish_run(a_run(name, build_id=f"build-{number}-x", minute=number))
    cause = catalog.diff("build-1-x", "build-2-x").first_cause
    assert cause is not None
    assert cause.text == "parameter day: 1 → 2"


def test_without_another_one_it_is_compared_with_the_one_before(catalog: Catalog) -> None:
    record_version(catalog, 1, "1")
    with pytest.raises(TaskNotFound, match="No run that stood for the task is recorded before"):
        catalog.diff("data/model.csv")
    record_version(catalog, 2, "1", code=code("new"))
    assert catalog.diff("data/model.csv").differences == runs(catalog).differences
    assert catalog.diff(run_id_of("model", 2)).a == run_id_of("model", 1)
    catalog.start_build(a_build(1, build_id="build-1-x"))
    with pytest.raises(TaskNotFound, match="No build of the same tasks is recorded before"):
        catalog.diff("build-1-x")
    catalog.start_build(a_build(2, build_id="build-2-x"))
    assert (catalog.diff("build-2-x").a, catalog.diff("build-2-x").is_same) == ("build-1-x", True)


def test_what_cannot_be_compared_is_refused(catalog: Catalog) -> None:
    catalog.start_build(a_build(1, build_id="01a20388-0001"))
    catalog.start_build(a_build(2, build_id="01a20388-0002"))
    with pytest.raises(ValueError, match="one is a build, the other is not"):
        catalog.diff("01a20388-0001", hash_of("model"))
    with pytest.raises(TaskNotFound):
        catalog.diff("data/none.csv", hash_of("model"))
    with pytest.raises(AmbiguousHash):
        catalog.diff("01a20388-", "01a20388-0001")


def test_a_diff_is_json_and_harmless(catalog: Catalog) -> None:
    record_version(catalog, 1, "1", metadata={"\x1b[31m": "\u202e"}, code=code("\x1b"))
    record_version(catalog, 2, "1", metadata={"n": [1, {"x": None}]}, code=code("b"))
    diff = runs(catalog)
    document = json.loads(json.dumps(diff.to_dict()))
    assert document["first_cause"]["text"] == "function flows.run changed"
    assert document["is_same"] is False
    assert not {"\x1b", "\u202e"} & set(diff.to_text())


def test_one_difference_in_a_wide_graph_is_found_without_reading_it_all(catalog: Catalog) -> None:
    names = [f"w{number}" for number in range(300)]
    catalog.record_tasks([*(a_task(name) for name in names), a_task("top", names)])
    for number in (1, 2):
        for name in names:
            content = "2" if number == 2 and name == "w7" else "1"
            catalog.finish_run(a_run(name, number=number, content=content, minute=number))
        read = [
            an_input(name, "2" if number == 2 and name == "w7" else "1", number=number)
            for name in names
        ]
        catalog.finish_run(a_run("top", read, number=number, content=str(number), minute=number))
    start = time.perf_counter()
    diff = runs(catalog, "top")
    assert time.perf_counter() - start < 0.5
    assert diff.compared == 2
    assert diff.first_cause is not None
    assert diff.first_cause.a.task_hash == hash_of("w7")
