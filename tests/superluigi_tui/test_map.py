"""Maps of random graphs: every line leads from a task to one that is made from it, and all are there."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from superluigi_tui.gutter import DOWN, LEFT, RIGHT, UP, sign_of
from superluigi_tui.lineage_map import DrawnMap, draw_map

WAYS = {sign_of(ways): ways for ways in range(1, 16) if sign_of(ways) != " "} | {"▸": LEFT | RIGHT}
STEPS = {LEFT: (0, -1), RIGHT: (0, 1), UP: (-1, 0), DOWN: (1, 0)}
OPPOSITE = {LEFT: RIGHT, RIGHT: LEFT, UP: DOWN, DOWN: UP}

graphs = st.integers(2, 14).flatmap(
    lambda count: st.lists(
        st.tuples(st.integers(0, count - 2), st.integers(1, count - 1))
        .map(sorted)
        .filter(lambda pair: pair[0] < pair[1]),
        max_size=20,
    ).map(lambda pairs: (count, [(f"n{a}", f"n{b}") for a, b in pairs]))
)


def drawn(count: int, edges: list[tuple[str, str]]) -> DrawnMap:
    return draw_map({f"n{n}": 5 for n in range(count)}, edges, point="▸")


def reached(shown: DrawnMap, name: str) -> set[str]:
    """Follow the lines to the right of a label, as eyes do: on through crossings, along every branch."""
    rows = [line.ljust(shown.width + 2) for line in shown.lines]
    ends = {(spot.row, spot.column - 2): each for each, spot in shown.spots.items()}
    spot = shown.spots[name]
    pending = [(spot.row, spot.column + spot.width + 1, RIGHT)]
    seen, found = set(pending), set()
    while pending:
        row, column, going = pending.pop()
        if (row, column) in ends:
            found.add(ends[row, column])
            continue
        ways = WAYS.get(rows[row][column], 0)
        crosses = ways == UP | DOWN and going in (LEFT, RIGHT)
        for way, (down, right) in STEPS.items():
            is_open = way == going if crosses else ways & way and way not in (OPPOSITE[going], LEFT)
            step = (row + down, column + right, way)
            if is_open and step not in seen:
                seen.add(step)
                pending.append(step)
    return found


@given(graphs)
@settings(max_examples=150, deadline=None)
def test_every_edge_can_be_followed(graph: tuple[int, list[tuple[str, str]]]) -> None:
    count, edges = graph
    shown = drawn(count, edges)
    for name in shown.spots:
        assert {b for a, b in edges if a == name} <= reached(shown, name)


@given(graphs)
@settings(max_examples=100, deadline=None)
def test_labels_stand_alone_and_after_all_that_they_are_made_from(
    graph: tuple[int, list[tuple[str, str]]],
) -> None:
    count, edges = graph
    shown = drawn(count, edges)
    assert set(shown.spots) == {f"n{n}" for n in range(count)}
    for spot in shown.spots.values():
        line = shown.lines[spot.row].ljust(shown.width)
        assert line[spot.column - 1 : spot.column + spot.width + 1].strip() == ""
    taken = [(s.row, c) for s in shown.spots.values() for c in range(s.column, s.column + s.width)]
    assert len(taken) == len(set(taken))
    assert all(shown.spots[a].column < shown.spots[b].column for a, b in edges)


def test_a_way_that_parts_and_meets_is_drawn_so() -> None:
    edges = [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]
    shown = draw_map(dict.fromkeys("abcd", 1), edges, point="▸")
    assert shown.lines == ["   ┬─▸   ╮", "   │     │", "   ╰─▸   ┴─▸"]


def test_nothing_is_an_empty_map() -> None:
    assert draw_map({}, [], point="▸") == DrawnMap([], {}, 0)
