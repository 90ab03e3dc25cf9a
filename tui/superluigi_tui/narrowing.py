"""Asking by what a list of tasks is to be narrowed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from superluigi_catalog import STATUSES
from superluigi_tui.screens.choice import Choice
from superluigi_tui.screens.prompt import Prompt
from superluigi_tui.task_filter import SINCE, TaskFilter
from superluigi_tui.texts import count_text

if TYPE_CHECKING:
    from superluigi_tui.screens.view import View

    _Base = View
else:
    _Base = object

__all__ = ["Narrowing"]


class Narrowing(_Base):
    """A screen whose list has a filter."""

    filter: TaskFilter

    def narrow(self, wanted: TaskFilter) -> None:
        """List other tasks."""
        raise NotImplementedError

    def action_filter(self) -> None:
        """Ask by what to narrow the list."""
        choices = {
            "status": f"state: {self.filter.status or 'any'}",
            "family": f"family: {self.filter.family or 'any'}",
            "since": f"since: {SINCE.get(self.filter.since, self.filter.since)}",
            "param": f"parameter: {self.filter.param or 'any'}",
            "clear": "clear all",
        }
        self.tui.push_screen(Choice("Filter", choices), self._ask_value)

    def _ask_value(self, name: str | None) -> None:
        if name == "clear":
            self.narrow(self.filter.cleared())
        elif name == "family":
            self.start(self._ask_family, group="ask")
        elif name == "param":
            prompt = Prompt("Parameter", self.filter.param, "name=value")
            self.tui.push_screen(prompt, lambda text: self._set("param", text))
        elif name in ("status", "since"):
            values = SINCE if name == "since" else {"": "any", **{s: s for s in STATUSES}}
            current = getattr(self.filter, name)
            choice = Choice(name.capitalize(), values, current=current)
            self.tui.push_screen(choice, lambda value: self._set(name, value))

    async def _ask_family(self) -> None:
        families = await self.ask(lambda catalog: catalog.families())
        values = {"": "any"} | {
            name: f"{name}  {count_text(count)}" for name, count in families.items()
        }
        choice = Choice("Family", values, current=self.filter.family)
        self.tui.push_screen(choice, lambda value: self._set("family", value))

    def _set(self, name: str, value: str | None) -> None:
        if value is None:
            return
        if name == "param" and value and "=" not in value:
            self.notify("Write name=value.", severity="warning", timeout=3)
            return
        self.narrow(replace(self.filter, **{name: value}))
