"""Lineage as a networkx graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from superluigi_catalog.drawing.optional import imported

if TYPE_CHECKING:
    from superluigi_catalog.lineage import Lineage

__all__ = ["build"]


def build(lineage: Lineage) -> Any:
    """Build the graph; see `Lineage.to_networkx`."""
    networkx = imported("networkx", "to_networkx")
    graph = networkx.MultiDiGraph()
    for task in (lineage.root, *lineage.tasks):
        graph.add_node(task.task_hash, **task.to_dict())
    for edge in lineage.edges:
        graph.add_edge(edge.upstream_hash, edge.task_hash, **edge.to_dict())
    return graph
