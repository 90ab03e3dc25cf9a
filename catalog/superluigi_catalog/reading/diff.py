"""Two graphs, walked together from their results towards their inputs, only where they differ."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from superluigi_catalog.difference import Diff, Difference
from superluigi_catalog.reading.node import Node, NodeKey, nodes_of, sources_of, stored
from superluigi_catalog.reading.pairs import Known, differing_inputs, own_differences
from superluigi_catalog.storage.session import Session

__all__ = ["diff_of"]

Pair = tuple[NodeKey, NodeKey]


def diff_of(session: Session, pairs: Sequence[Pair], a: str, b: str) -> Diff:
    """Compare pairs of runs, and what they were made from.

    Args:
        session: With an open snapshot.
        pairs: Where to begin.
        a: What stands first in each pair: its name.
        b: The other's.
    """
    nodes: dict[NodeKey, Node] = {}
    followed: dict[Pair, list[Pair]] = {}
    frontier = list(dict.fromkeys(pairs))
    while frontier:
        wanted = {key for pair in frontier for key in pair} - nodes.keys()
        nodes.update(nodes_of(session, wanted))
        for pair in frontier:
            followed[pair] = _upstream(nodes[pair[0]], nodes[pair[1]])
        found = dict.fromkeys(each for pair in frontier for each in followed[pair])
        frontier = [pair for pair in found if pair not in followed]
    known = _known(session, nodes, followed)
    differences: list[Difference] = []
    for pair in _upstream_first(pairs, followed):
        differences += own_differences(
            nodes[pair[0]], nodes[pair[1]], known, is_explained=bool(followed[pair])
        )
    first = next((each for each in differences if each.is_cause), None)
    return Diff(
        a, b, first or (differences[0] if differences else None), tuple(differences), len(followed)
    )


def _upstream(a: Node, b: Node) -> list[Pair]:
    """Pair what had made the inputs that differ."""
    pairs = []
    for _, one, other in differing_inputs(a, b):
        if one.source is not None and other.source is not None and one.source != other.source:
            pairs.append((one.source, other.source))
    return pairs


def _upstream_first(roots: Iterable[Pair], followed: dict[Pair, list[Pair]]) -> list[Pair]:
    """Sort the pairs so that each stands after all that it was made from; without recursion."""
    order: dict[Pair, None] = {}
    begun: set[Pair] = set()
    pending = list(reversed(list(roots)))
    while pending:
        pair = pending[-1]
        if pair in begun:
            order[pair] = None
            pending.pop()
            continue
        begun.add(pair)
        pending += [each for each in reversed(followed[pair]) if each not in begun]
    return list(order)


def _known(session: Session, nodes: dict[NodeKey, Node], pairs: Collection[Pair]) -> Known:
    """Load the codes and environments of the pairs in which they differ."""
    both = [(nodes[one], nodes[other]) for one, other in pairs]
    code = stored(session, "code", _differing((a.code_id, b.code_id) for a, b in both))
    environments = _differing((a.environment_id, b.environment_id) for a, b in both)
    fingerprints = {
        str(part["fingerprint"]) for content in code.values() for part in content.get("parts", ())
    }
    return Known(
        code, stored(session, "environments", environments), sources_of(session, fingerprints)
    )


def _differing(pairs: Iterable[tuple[int | None, int | None]]) -> set[int]:
    return {number for pair in pairs if pair[0] != pair[1] for number in pair if number is not None}
