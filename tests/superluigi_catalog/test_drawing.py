from __future__ import annotations

import json
import re
import sys

import networkx
import pytest

from superluigi_catalog import Catalog, DrawingUnavailable, Lineage
from tests.superluigi_catalog.entries import a_run, a_task, hash_of, record_chain

HOSTILE = 'x"]; click --> \\ <b>&#1; [red] `|{}` ```\n\x1b[31m\u202e'


@pytest.fixture
def diamond(catalog: Catalog) -> Lineage:
    catalog.record_tasks(
        [
            a_task("raw", family="Raw", is_external=True),
            a_task("left", {"": "raw"}, family="Left"),
            a_task("right", {"": "raw"}, family="Right"),
            a_task("top", {"l": "left", "r": "right", "again": "left"}, family="Top", params={}),
        ]
    )
    catalog.finish_run(a_run("left", status="failed"))
    return catalog.upstream(hash_of("top"))


def short(name: str) -> str:
    return hash_of(name)[:8]


def test_the_tree_shows_every_task_once_and_marks_it_where_it_comes_again(diamond: Lineage) -> None:
    assert diamond.to_text() == (
        f"Top {short('top')}  unknown\n"
        f"├─ again, l: Left {short('left')}  failed  name=left\n"
        f"│  └─ Raw {short('raw')}  unknown  name=raw\n"
        f"└─ r: Right {short('right')}  unknown  name=right\n"
        f"   └─ Raw {short('raw')}  unknown  name=raw\n"
    )


def test_what_was_drawn_with_its_inputs_is_not_drawn_again(
    catalog: Catalog, diamond: Lineage
) -> None:
    catalog.record_tasks([a_task("raw", {"": "rawer"}, family="Raw"), a_task("rawer")])
    text = catalog.upstream(hash_of("top")).to_text()
    assert text.count("(see above)") == 1
    assert text.count(short("rawer")) == 1


def test_the_tree_can_be_cut(diamond: Lineage) -> None:
    assert diamond.to_text(max_lines=2).endswith("  failed  name=left\n… and 2 more\n")


def test_downstream_is_drawn_from_the_root_too(catalog: Catalog, diamond: Lineage) -> None:
    text = str(catalog.downstream(hash_of("raw")))
    assert text.startswith(f"Raw {short('raw')}")
    assert f"└─ Right {short('right')}" in text


def test_mermaid_flows_with_the_data(diamond: Lineage) -> None:
    lines = diamond.to_mermaid().splitlines()
    assert lines[0] == "flowchart LR"
    assert f'  t0["Top {short("top")}"]:::unknown' in lines
    assert f'  t1["Left {short("left")}<br/>name=left"]:::failed' in lines
    assert '  t1 -->|"l"| t0' in lines
    assert "  t3 --> t1" in lines
    assert any(line.startswith("  classDef failed ") for line in lines)


def test_dot_flows_with_the_data(diamond: Lineage) -> None:
    text = diamond.to_dot()
    assert text.startswith("digraph lineage {\n")
    assert f'  "{hash_of("left")}" -> "{hash_of("top")}" [label="l"];' in text


def test_networkx_gets_all_tasks_and_edges(diamond: Lineage) -> None:
    graph = diamond.to_networkx()
    assert set(graph) == {hash_of(name) for name in ("top", "left", "right", "raw")}
    assert graph.number_of_edges() == 5
    assert networkx.is_directed_acyclic_graph(graph)
    assert nodes_before(graph, hash_of("top")) == 3
    assert graph.nodes[hash_of("left")]["status"] == "failed"


def nodes_before(graph: networkx.MultiDiGraph, node: str) -> int:
    return len(networkx.ancestors(graph, node))


def test_without_networkx_it_says_what_to_install(
    diamond: Lineage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "networkx", None)
    with pytest.raises(DrawingUnavailable, match="pip install networkx") as caught:
        diamond.to_networkx()
    assert isinstance(caught.value, ImportError)


def test_a_notebook_gets_text_and_a_drawing(diamond: Lineage) -> None:
    bundle = diamond._repr_mimebundle_()
    assert bundle["text/plain"] == str(diamond)
    assert bundle["text/markdown"] == f"```mermaid\n{diamond.to_mermaid()}```\n"
    assert set(diamond._repr_mimebundle_(include=["text/plain"])) == {"text/plain"}
    assert set(diamond._repr_mimebundle_(exclude=["text/plain"])) == {"text/markdown"}


def test_a_graph_too_big_for_a_picture_is_text_only(catalog: Catalog) -> None:
    record_chain(catalog, *(str(number) for number in range(200)))
    assert set(catalog.upstream(hash_of("199"))._repr_mimebundle_()) == {"text/plain"}


def test_dicts_are_json_and_lead_back_to_the_root(diamond: Lineage) -> None:
    rows = json.loads(json.dumps(diamond.to_dicts()))
    assert [row["family"] for row in rows] == ["Left", "Right", "Raw"]
    assert [row["depth"] for row in rows] == [1, 1, 2]
    assert [edge["place"] for edge in rows[0]["through"]] == ["again", "l"]
    assert {edge["task_hash"] for edge in rows[2]["through"]} == {hash_of("left"), hash_of("right")}


def test_no_drawing_lets_hostile_names_through(catalog: Catalog) -> None:
    catalog.record_tasks(
        [
            a_task("up", family=HOSTILE, params={HOSTILE: HOSTILE}),
            a_task("down", {HOSTILE: "up"}, family=HOSTILE, params={}),
        ]
    )
    lineage = catalog.upstream(hash_of("down"))
    for drawing in (lineage.to_text(), lineage.to_mermaid(), lineage.to_dot()):
        assert not {"\x1b", "\u202e", "\r"} & set(drawing)
    assert len(lineage.to_text().splitlines()) == 2
    mermaid = lineage.to_mermaid()
    assert not re.search(r"[`\\<>|{}]", re.sub(r'<br/>|-->(\|"[^"]*"\|)?', "", mermaid))
    assert len(mermaid.splitlines()) == 5
    for quoted in re.findall(r'label="((?:[^"\\]|\\.)*)"\];', lineage.to_dot()):
        assert "\n" not in quoted
    assert len(lineage.to_dot().splitlines()) == 7
