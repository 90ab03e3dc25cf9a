from __future__ import annotations

import itertools
import json
import re
import sys
from xml.etree import ElementTree

import networkx
import pytest

from superluigi_catalog import Catalog, DrawingUnavailable, Lineage
from tests.superluigi_catalog.entries import (
    a_run,
    a_task,
    an_input,
    fingerprint_of,
    hash_of,
    record_chain,
)

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


SVG = "{http://www.w3.org/2000/svg}"


def boxes(svg: str) -> dict[str, tuple[float, float, float, float]]:
    """Left, top, right, bottom of each task, by its title's first line."""
    found = {}
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        rect = group.find(f"{SVG}rect")
        if rect is not None:
            x, y, width, height = (float(rect.attrib[k]) for k in ("x", "y", "width", "height"))
            title = group.findtext(f"{SVG}title") or ""
            found[title.splitlines()[0].split()[0]] = (x, y, x + width, y + height)
    return found


def test_a_picture_flows_from_left_to_right_and_no_box_covers_another(diamond: Lineage) -> None:
    found = boxes(diamond.to_svg())
    assert set(found) == {"Top", "Left", "Right", "Raw"}
    assert found["Raw"][2] < found["Left"][0] == found["Right"][0]
    assert found["Left"][2] < found["Top"][0]
    for one, other in itertools.combinations(found.values(), 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def test_the_lines_of_a_picture_end_at_their_boxes_and_say_what_was_consumed(
    catalog: Catalog, diamond: Lineage
) -> None:
    catalog.finish_run(a_run("raw"))
    catalog.finish_run(a_run("left", [an_input("raw", place="")], number=2))
    svg = catalog.upstream(hash_of("top")).to_svg()
    found = boxes(svg)
    ends = set()
    titles = []
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        path = group.find(f"{SVG}path")
        if path is not None:
            numbers = [float(n) for n in re.findall(r"-?[0-9.]+", path.attrib["d"])]
            ends.add((numbers[0], numbers[-2]))
            titles += (group.findtext(f"{SVG}title") or "").splitlines()
    assert ends == {
        (found["Raw"][2], found["Left"][0]),
        (found["Left"][2], found["Top"][0]),
    }
    assert f"(the only input) required: data/raw.csv {fingerprint_of('raw1')}" in titles
    assert "l required" in titles


def test_a_picture_of_a_cycle_and_of_many_layers_is_drawn(catalog: Catalog) -> None:
    record_chain(catalog, *(str(number) for number in range(30)))
    catalog.record_tasks(
        [a_task("0", ["29"]), a_task("last", ["29", "0"]), a_task("self", ["self"])]
    )
    assert len(boxes(catalog.lineage(hash_of("29")).to_svg())) == 1
    ElementTree.fromstring(catalog.upstream(hash_of("last")).to_svg())
    ElementTree.fromstring(catalog.upstream(hash_of("self")).to_svg())


def test_a_table_has_a_row_for_each_task_and_a_column_for_each_parameter(diamond: Lineage) -> None:
    frame = diamond.to_dataframe()
    assert list(frame["family"]) == ["Top", "Left", "Right", "Raw"]
    assert list(frame["depth"]) == [0, 1, 1, 2]
    assert frame.loc[hash_of("left"), "params.name"] == "left"


def test_both_ways_are_one_picture_and_two_trees(catalog: Catalog, diamond: Lineage) -> None:
    catalog.record_tasks([a_task("user", {"": "top"}, family="User")])
    catalog.record_tasks([a_task("user2", {"u": "user", "raw": "raw"}, family="User2")])
    both = catalog.lineage(hash_of("left"))
    assert both.direction == "both"
    assert [task.family for task in both] == ["Raw", "Top", "User", "User2"]
    above, below = both.to_text().split("\n\n")
    assert above.startswith("Left ")
    assert "Raw" in above
    assert "User2" not in above
    assert "u: User2" in below
    through = {row["family"]: [edge["place"] for edge in row["through"]] for row in both.to_dicts()}
    assert through == {"Raw": [""], "Top": ["again", "l"], "User": [""], "User2": ["u"]}
    assert set(boxes(both.to_svg())) == {"Left", "Raw", "Top", "User", "User2"}
    assert [task.family for task in catalog.lineage(hash_of("left"), 1)] == ["Raw", "Top"]


def test_a_tree_can_say_what_was_consumed(catalog: Catalog, diamond: Lineage) -> None:
    catalog.finish_run(a_run("raw"))
    catalog.finish_run(a_run("left", [an_input("raw", place="")], number=2))
    lines = catalog.upstream(hash_of("top")).to_text(targets=True).splitlines()
    assert lines[3] == f"│        data/raw.csv  {fingerprint_of('raw1')[:19]}"


def test_networkx_gets_all_tasks_and_edges(diamond: Lineage) -> None:
    graph = diamond.to_networkx()
    assert set(graph) == {hash_of(name) for name in ("top", "left", "right", "raw")}
    assert graph.number_of_edges() == 5
    assert networkx.is_directed_acyclic_graph(graph)
    assert nodes_before(graph, hash_of("top")) == 3
    assert graph.nodes[hash_of("left")]["status"] == "failed"


def nodes_before(graph: networkx.MultiDiGraph, node: str) -> int:
    return len(networkx.ancestors(graph, node))


def test_without_pandas_it_says_what_to_install(
    diamond: Lineage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(DrawingUnavailable, match="pip install pandas"):
        diamond.to_dataframe()


def test_without_networkx_it_says_what_to_install(
    diamond: Lineage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "networkx", None)
    with pytest.raises(DrawingUnavailable, match="pip install networkx") as caught:
        diamond.to_networkx()
    assert isinstance(caught.value, ImportError)


def test_a_notebook_gets_text_and_a_drawing(diamond: Lineage) -> None:
    bundle = diamond._repr_mimebundle_()
    assert bundle == {"text/plain": str(diamond), "image/svg+xml": diamond.to_svg()}
    assert set(diamond._repr_mimebundle_(include=["text/plain"])) == {"text/plain"}
    assert set(diamond._repr_mimebundle_(exclude=["text/plain"])) == {"image/svg+xml"}
    markdown = diamond._repr_mimebundle_(include=["text/markdown"])
    assert markdown == {"text/markdown": f"```mermaid\n{diamond.to_mermaid()}```\n"}


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
    ElementTree.fromstring(lineage.to_svg())
    for drawing in (lineage.to_text(), lineage.to_mermaid(), lineage.to_dot(), lineage.to_svg()):
        assert not {"\x1b", "\u202e", "\r"} & set(drawing)
    assert len(lineage.to_text().splitlines()) == 2
    mermaid = lineage.to_mermaid()
    assert not re.search(r"[`\\<>|{}]", re.sub(r'<br/>|-->(\|"[^"]*"\|)?', "", mermaid))
    assert len(mermaid.splitlines()) == 5
    for quoted in re.findall(r'label="((?:[^"\\]|\\.)*)"\];', lineage.to_dot()):
        assert "\n" not in quoted
    assert len(lineage.to_dot().splitlines()) == 7
