from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from superluigi_tui.gutter import gutter_rows

PIPELINE = {
    "Report": ["Score"],
    "Score": ["TrainModel", "Features"],
    "TrainModel": ["Split"],
    "Split": ["Features"],
    "Features": ["CleanPrices", "JoinOrders", "CleanUsers"],
    "CleanPrices": ["ExtractPrices"],
    "JoinOrders": ["CleanOrders", "CleanUsers"],
}


def drawn(roots: list[str], below: dict[str, list[str]], **how: bool) -> str:
    rows = gutter_rows(roots, below, **how)
    return "\n".join(
        f"{row.before}o{row.after} {row.node}" if row.node else row.before for row in rows
    )


def test_a_pipeline_is_drawn_from_its_end() -> None:
    expected = """
o Report
o Score
├─╮
o │ TrainModel
o │ Split
╰─┤
  o Features
  ├─┬─╮
  o │ │ CleanPrices
  o │ │ ExtractPrices
    o │ JoinOrders
    ├─┤
    o │ CleanOrders
      o CleanUsers
"""
    assert drawn(["Report"], PIPELINE) == expected.strip("\n")


def test_it_is_drawn_in_ascii_too() -> None:
    assert (
        drawn(["a"], {"a": ["b", "c"], "b": ["c"]}, is_ascii=True) == "o a\n+-+\no | b\n+-+\n  o c"
    )


@st.composite
def graphs(draw: st.DrawFn) -> dict[int, list[int]]:
    count = draw(st.integers(1, 12))
    return {
        node: draw(st.lists(st.integers(node + 1, count), max_size=4)) if node < count else []
        for node in range(count)
    }


@given(graphs())
def test_every_node_is_drawn_once_after_all_that_it_hangs_from(below: dict[int, list[int]]) -> None:
    rows = gutter_rows([0], below)
    order = [row.node for row in rows if row.node is not None]
    reached, pending = {0}, [0]
    while pending:
        for each in below.get(pending.pop(), []):
            if each not in reached:
                reached.add(each)
                pending.append(each)
    assert sorted(order) == sorted(reached)
    assert all(order.index(n) < order.index(f) for n in reached for f in below.get(n, []))


@given(graphs())
def test_lines_go_on_from_row_to_row(below: dict[int, list[int]]) -> None:
    """What leaves a cell downwards arrives in the cell below it, and the other way round."""
    down, up = set("│├┤╮╭┬┼o"), set("│├┤╯╰┴┼o")
    rows = gutter_rows([0], below)
    lines = [f"{row.before}o{row.after}" if row.node is not None else row.before for row in rows]
    has_below = {row.node: bool(below.get(row.node)) for row in rows if row.node is not None}
    for index in range(len(lines) - 1):
        upper, lower = lines[index], lines[index + 1]
        for column in range(max(len(upper), len(lower))):
            above = upper[column : column + 1]
            beneath = lower[column : column + 1]
            node = rows[index].node
            if above == "o" and node is not None and not has_below[node]:
                continue  # nothing hangs from it, so no line leaves it
            leaves = above in down if above else False
            arrives = beneath in up if beneath else False
            if beneath == "o" and not leaves:
                continue  # a node that nothing leads to from here begins a line
            assert leaves == arrives, (lines, index, column)
