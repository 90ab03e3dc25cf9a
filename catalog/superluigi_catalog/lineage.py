"""Lineage results: the tasks above or below one, and how they hang together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from superluigi_catalog.drawing import dot, frame, graph, mermaid, svg, tree
from superluigi_catalog.results import Record, Task

__all__ = ["Direction", "Lineage", "LineageEdge"]

Direction = Literal["upstream", "downstream", "both"]

_MAX_LINES_SHOWN = 200
_MAX_TASKS_DRAWN = 150
"""In a notebook; a bigger graph is no picture any more, and its text is cut too."""


@dataclass(frozen=True, slots=True)
class LineageEdge(Record):
    """One way in which a task depends on another."""

    task_hash: str
    """The one that depends."""
    upstream_hash: str
    """The one that it depends on."""
    place: str
    """Where that stands in `requires()`, or the input that was consumed."""
    kind: str
    """`required`; `yielded` by `run()`; or `consumed`: it had made what the run consumed there."""
    uri: str | None = None
    """The target that was consumed; None before the first run, and for a task without outputs."""
    fingerprint: str | None = None
    """The content that it had then."""
    run_id: str | None = None
    """The run that had made that content, where known."""


@dataclass(frozen=True, slots=True)
class Lineage(Collection[Task]):
    """The tasks upstream or downstream of one task, or both, as they stand.

    Iterating gives the tasks without the root, nearest first. What a task depends on is what its current
    run consumed; where it has no run yet, what it requires.

    That of a whole direction (`upstream` or `downstream` without a depth) is read as it is used: the first
    tasks at once, whatever follows; of each task hash, family and parameters, and more when it is asked for;
    edges and depths likewise, together with the tasks anew. `whole()` reads everything now, in one state.
    """

    root: Task
    direction: Direction
    tasks: tuple[Task, ...]
    """Without the root; nearest first, then inputs by place, and results as they were recorded."""
    edges: tuple[LineageEdge, ...]
    """All between these tasks and the root, ordered by the depending task, nearest first, then place."""
    depths: Mapping[str, int]
    """Steps from the root on the shortest way, by task hash; 0 for the root."""

    def __iter__(self) -> Iterator[Task]:
        return iter(self.tasks)

    def __len__(self) -> int:
        return len(self.tasks)

    def __contains__(self, item: object) -> bool:
        task_hash = getattr(item, "task_hash", item)
        return task_hash != self.root.task_hash and task_hash in self.depths

    def whole(self) -> Lineage:
        """Return it with all that belongs to it, as it is recorded at one instant."""
        return self

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return the tasks as JSON types.

        Returns:
            One for each task in the order of iteration: what `Task.to_dict` gives, `depth`, and
            `through`: the edges that lead from it towards the root.
        """
        through: dict[str, list[dict[str, Any]]] = {}
        for direction in self._directions:
            reached = self._reached(direction)
            for edge in self.edges:
                near, far = edge.task_hash, edge.upstream_hash
                if direction == "downstream":
                    near, far = far, near
                if near in reached:
                    through.setdefault(far, []).append(edge.to_dict())
        return [
            {
                **task.to_dict(),
                "depth": self.depths[task.task_hash],
                "through": through.get(task.task_hash, []),
            }
            for task in self.tasks
        ]

    @property
    def _directions(self) -> tuple[str, ...]:
        return ("upstream", "downstream") if self.direction == "both" else (self.direction,)

    def _reached(self, direction: str) -> set[str]:
        """Collect the hashes of the root and of what lies in one direction of it."""
        if self.direction != "both":
            return set(self.depths)
        beyond: dict[str, list[str]] = {}
        for edge in self.edges:
            near, far = edge.task_hash, edge.upstream_hash
            if direction == "downstream":
                near, far = far, near
            beyond.setdefault(near, []).append(far)
        reached = {self.root.task_hash}
        pending = list(reached)
        while pending:
            found = set(beyond.get(pending.pop(), ())) - reached
            reached |= found
            pending += found
        return reached

    def to_text(self, *, max_lines: int | None = None, targets: bool = False) -> str:
        """Draw a tree, the root first; what was drawn before is marked and not drawn again.

        Towards both sides, the tree of the inputs stands before the tree of the results.

        Args:
            max_lines: Where to stop; the last line then says how many tasks are not shown.
            targets: Below each task, say which target of it was consumed, and which content.
        """
        return "\n".join(
            tree.draw(self, direction, max_lines=max_lines, with_targets=targets)
            for direction in self._directions
        )

    def to_mermaid(self) -> str:
        """Draw a Mermaid flowchart, in the direction in which data flows."""
        return mermaid.draw(self)

    def to_dot(self) -> str:
        """Draw a Graphviz digraph, in the direction in which data flows."""
        return dot.draw(self)

    def to_svg(self) -> str:
        """Draw an SVG picture, data flowing from left to right; no other program is needed."""
        return svg.draw(self)

    def to_dataframe(self) -> Any:
        """Return the tasks as a table.

        Returns:
            A `pandas.DataFrame` with a row for each task, indexed by `task_hash`, the root first: the
            attributes of `Task` but for the parameters, which are columns of their own (`params.date`),
            and `depth`.

        Raises:
            DrawingUnavailable: pandas is not installed.
        """
        return frame.build(self)

    def to_networkx(self) -> Any:
        """Return a graph whose nodes are task hashes, with edges in the direction in which data flows.

        Returns:
            A `networkx.MultiDiGraph`; nodes have the attributes of `Task`, edges those of `LineageEdge`.

        Raises:
            DrawingUnavailable: networkx is not installed.
        """
        return graph.build(self)

    def __str__(self) -> str:
        return self.to_text(max_lines=_MAX_LINES_SHOWN)

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, str]:
        """Show itself in a notebook: a drawing where there is one for the purpose, and text."""
        wanted = set(include or _SHOWN) - set(exclude or ())
        if len(self.tasks) > _MAX_TASKS_DRAWN:
            wanted &= {"text/plain"}
        return {kind: draw(self) for kind, draw in _DRAWINGS.items() if kind in wanted}


def _markdown(lineage: Lineage) -> str:
    return f"```mermaid\n{lineage.to_mermaid()}```\n"


_DRAWINGS: Mapping[str, Callable[[Lineage], str]] = {
    "text/plain": str,
    "text/markdown": _markdown,
    "image/svg+xml": svg.draw,
}
"""What notebooks are offered, by MIME type."""

_SHOWN = ("text/plain", "image/svg+xml")
"""Unless they ask: JupyterLab would show Markdown before the picture, and not all of them draw Mermaid in it."""
