"""What keys do on the screen of a lineage."""

from __future__ import annotations

from superluigi_tui.lineage_shape import LineageShape, Shown
from superluigi_tui.routes import Route
from superluigi_tui.screens.view import View
from superluigi_tui.widgets.map_pane import MapPane
from superluigi_tui.widgets.row_list import RowList

__all__ = ["LineageKeys"]


class LineageKeys(View):
    """Changes what of a lineage is shown; the address follows."""

    shape: LineageShape | None
    _folded: set[str]
    _opened: set[str]

    @property
    def rows(self) -> RowList:
        """The list."""
        raise NotImplementedError

    @property
    def map(self) -> MapPane:
        """The map."""
        raise NotImplementedError

    @property
    def depth(self) -> int | None:
        """How many steps; None: all."""
        raise NotImplementedError

    def draw(self) -> None:
        """Show what there is to see of the lineage now."""
        raise NotImplementedError

    def draw_map(self) -> None:
        """Show the map, where it is wanted and can be read."""
        raise NotImplementedError

    def too_many_for_a_map(self) -> str:
        """Say why there is no map; empty where there can be one."""
        raise NotImplementedError

    # -- which task ----------------------------------------------------------------------------

    def current_shown(self) -> Shown | None:
        """What stands under the cursor."""
        row = self.rows.current
        return row.value if row is not None else None

    def current_task(self) -> str | None:
        """The task under the cursor; of several that are shown together the first."""
        node = self.current_shown()
        return node.tasks[0].task_hash if node is not None else None

    def current_tasks(self) -> list[str]:
        """All tasks that are marked, else those under the cursor."""
        marked = [
            task.task_hash
            for row in map(self.rows.row_at, range(self.rows.count))
            if row is not None and row.key in self.rows.marked and row.value is not None
            for task in row.value.tasks
        ]
        node = self.current_shown()
        return marked or ([task.task_hash for task in node.tasks] if node is not None else [])

    def action_open(self) -> None:
        """Open the task under the cursor; show each of several that are together."""
        node = self.current_shown()
        if node is not None and node.task is None:
            self._opened.add(node.key)
            self.draw()
        else:
            self.with_task(lambda task: self.tui.open_route(Route("tasks", task)))

    def on_row_list_opened(self, message: RowList.Opened) -> None:
        """Open what was clicked."""
        self.action_open()

    def action_next_match(self, step: int) -> None:
        """Go to the next task that is not fresh, or to the one before."""
        count = self.rows.count
        for away in range(1, count + 1):
            index = (self.rows.cursor + away * step) % count
            row = self.rows.row_at(index)
            if row is not None and row.value is not None and row.value.status != "fresh":
                self.rows.action_move_to(index)
                return
        self.notify("All of them are fresh.", timeout=2)

    # -- what is shown -------------------------------------------------------------------------

    def _change(self, **options: str) -> None:
        kept = {**self.route.options, **options}
        self.route = self.route.with_options(**kept)
        self.reload()

    def action_upstream(self) -> None:
        """Show what it was made from."""
        self._change(direction="")

    def action_downstream(self) -> None:
        """Show what was made from it."""
        self._change(direction="downstream")

    def action_change_depth(self, step: int) -> None:
        """Go further, or less far; beyond the furthest is all the way."""
        if self.shape is None:
            return
        furthest = max(self.shape.lineage.depths.values(), default=0)
        before = self.depth if self.depth is not None else furthest + (step > 0)
        after = max(1, before + step)
        self._change(depth="" if step > 0 and after > furthest + 1 else str(after))

    def action_hide_fresh(self) -> None:
        """Hide tasks that are fresh, or show them."""
        hides = self.route.options.get("hide") == "fresh"
        self._change(hide="" if hides else "fresh")

    def action_collapse(self) -> None:
        """Show tasks of one family together, or each."""
        self._opened.clear()
        collapses = self.route.options.get("collapse") == "families"
        self._change(collapse="" if collapses else "families")

    def action_fold(self, fold: bool) -> None:
        """Fold what hangs from the task, or unfold it."""
        node = self.current_shown()
        if node is not None:
            (self._folded.add if fold else self._folded.discard)(node.key)
            self.draw()

    def action_focus_task(self) -> None:
        """Begin at the task under the cursor."""
        self.with_task(lambda t: self.tui.open_route(Route("lineage", t, "", self.route.options)))

    def action_map(self) -> None:
        """Show the map, or only the rows."""
        is_shown = self.has_class("-map")
        if not is_shown and (trouble := self.too_many_for_a_map()):
            self.notify(trouble, severity="warning", timeout=5)
            return
        options = {**self.route.options, "map": "off" if is_shown else "on"}
        self.route = self.route.with_options(**options)
        self.draw_map()
        self.set_focus(self.rows if is_shown else self.map)
