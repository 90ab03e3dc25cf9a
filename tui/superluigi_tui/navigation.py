"""Going from screen to screen, with a history as a browser has it; screens are kept as they were left."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from superluigi_tui.routes import Route

if TYPE_CHECKING:
    from textual.app import App

    from superluigi_tui.screens.view import View

    _Base = App[int]
else:
    _Base = object

__all__ = ["Navigation"]

_MAX_HISTORY = 30
_SCREENS = {
    "home": ("home", "Home"),
    "tasks": ("tasks", "Tasks"),
    "task": ("task", "TaskView"),
    "lineage": ("lineage", "LineageView"),
    "builds": ("builds", "Builds"),
    "build": ("build", "BuildView"),
    "diff": ("diff", "DiffView"),
}
"""Module and class by the name in the registry of actions."""


class Navigation(_Base):
    """The part of the app that knows the way."""

    def forget_history(self) -> None:
        """Begin anew."""
        for view in set(self._history()):
            self.uninstall_screen(view)
        self._views: list[View] = []
        self._place = -1

    def _history(self) -> list[View]:
        if not hasattr(self, "_views"):
            self._views, self._place = [], -1
        return self._views

    def open_route(self, route: Route) -> None:
        """Open the screen of an address; what was ahead in the history is forgotten."""
        self._show_new(_view_for(route))

    def action_go(self, name: str) -> None:
        """Go to a tab, as it was left."""
        history = self._history()
        known = [view for view in history if name == view.MODE and not view.route.ref]
        if name == "lineage":
            known = [view for view in history if view.NAME == "lineage"] or known
        if not known:
            self.open_route(self._begin_of(name))
        elif known[-1] is not history[self._place]:
            self._show_new(known[-1])

    def _begin_of(self, name: str) -> Route:
        """The first screen of a tab; of the lineage that of the task at hand."""
        current = self.screen
        task = (
            current.current_task()
            if name == "lineage" and hasattr(current, "current_task")
            else None
        )
        return Route(name, task or "")

    def action_history(self, step: int) -> None:
        """Go back or forward."""
        place = self._place + step
        if 0 <= place < len(self._history()):
            self._place = place
            self._switch(self._views[place])
        elif step < 0 and self.screen_is_not("home"):
            self.open_route(Route())

    def screen_is_not(self, name: str) -> bool:
        """Whether another screen is in sight."""
        return getattr(self.screen, "NAME", "") != name

    def search_tasks(self) -> None:
        """Go to the list of tasks, into its search field."""
        self.action_go("tasks")
        self.call_after_refresh(self._focus_search)

    def _focus_search(self) -> None:
        focus: Any = getattr(self.screen, "focus_search", None)
        if focus is not None:
            focus()

    def _show_new(self, view: View) -> None:
        history = self._history()
        dropped = history[self._place + 1 :]
        del history[self._place + 1 :]
        history.append(view)
        if len(history) > _MAX_HISTORY:
            dropped += history[: len(history) - _MAX_HISTORY]
            del history[: len(history) - _MAX_HISTORY]
        self._place = len(history) - 1
        self._switch(view)
        for old in {id(each): each for each in dropped}.values():
            if not any(old is each for each in history):
                self.uninstall_screen(old)
                old.remove()

    def _switch(self, view: View) -> None:
        while self.screen.is_modal:
            self.pop_screen()
        if not self.is_screen_installed(view):
            self.install_screen(view, f"view-{id(view)}")
        if self.screen is view:
            return
        # The bottom one stays: switching it away leaves a moment without any screen.
        if len(self.screen_stack) == 1:
            self.push_screen(view)
        else:
            self.switch_screen(view)


def screens() -> tuple[type[View], ...]:
    """All screens that have an address."""
    return tuple(_screen_named(name) for name in _SCREENS)


def _screen_named(name: str) -> type[View]:
    """Import a screen when it is first shown: the first one shall be there at once."""
    module, cls = _SCREENS[name]
    found: type[View] = getattr(import_module(f"superluigi_tui.screens.{module}"), cls)
    return found


def _view_for(route: Route) -> View:
    """Make the screen of an address; an address with a task or build is of the screen that shows one."""
    one = {"tasks": "task", "builds": "build"}.get(route.screen) if route.ref else None
    return _screen_named(one or route.screen)(route)
