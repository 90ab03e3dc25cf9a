"""`View`: what every screen with an address has: header, tabs, keys, and loading without waiting."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import Input

from superluigi_catalog import Catalog
from superluigi_tui.actions import ACTIONS, action_named, bindings_of
from superluigi_tui.routes import Route
from superluigi_tui.screens.at_hand import AtHand
from superluigi_tui.widgets.bars import Bar, between
from superluigi_tui.widgets.pieces import STYLE_CLASSES, Line, Piece

if TYPE_CHECKING:
    from superluigi_tui.app import SuperLuigiApp

__all__ = ["View"]

T = TypeVar("T")
Work = Callable[[], Coroutine[None, None, None]]
"""What is begun when its turn has come, and not at all when it is dropped before."""

_CHANGING = {action.action for action in ACTIONS if action.changes}
_TABS = (("home", "Home"), ("tasks", "Tasks"), ("lineage", "Lineage"), ("builds", "Builds"))
_GAP = "  "
_MIN_SIZE = (40, 10)


class View(AtHand, Screen[None]):
    """A screen that has an address and is kept in the history."""

    NAME: ClassVar[str] = ""
    """By which the registry knows it."""
    MODE: ClassVar[str] = "home"
    """The tab that it belongs to."""
    FOOTER: ClassVar[tuple[str, ...]] = ()
    """Ids of the actions that the last line shows; `a+b=text` for two of them together."""
    HAS_TABS: ClassVar[bool] = True
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("")
    COMPONENT_CLASSES: ClassVar[set[str]] = {*STYLE_CLASSES}
    AUTO_FOCUS = ""

    def __init__(self, route: Route) -> None:
        super().__init__()
        self.route = route
        self.loaded_version = -1
        """Of the catalog, when it was last read."""
        self.has_loaded = False
        """Whether what it shows has been read once."""

    @property
    def tui(self) -> SuperLuigiApp:
        """The app, as what it is."""
        return cast("SuperLuigiApp", self.app)

    # -- what it looks like --------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Frame the body."""
        yield Bar(self._too_small, id="too-small")
        yield Bar(self._header, id="header")
        if self.HAS_TABS:
            yield Bar(self._tabs, id="tabs")
        yield from self.compose_body()
        yield Bar(self._keys, id="keys")

    def compose_body(self) -> Iterable[Any]:
        """Give what stands between the tabs and the keys."""
        return ()

    def crumbs(self) -> list[str]:
        """Name where one is, from the outside in."""
        return [dict(_TABS)[self.MODE]]

    def show_bars(self) -> None:
        """Draw header and keys again."""
        for bar in self.query(Bar):
            bar.refresh()

    def _too_small(self, width: int) -> Line:
        size = self.app.size
        return [Piece("make the terminal larger "), Piece(f"(now {size.width}x{size.height})")]

    def on_resize(self) -> None:
        """Leave out what does not fit; where nothing does, say so."""
        size = self.app.size
        self.set_class(size.width < _MIN_SIZE[0] or size.height < _MIN_SIZE[1], "-too-small")

    def _header(self, width: int) -> Line:
        left = [Piece(" super luigi", "title")]
        for crumb in self.crumbs():
            left += [Piece(f" {self.tui.glyphs.into} ", "dim"), Piece(crumb)]
        return between(left, [*self.tui.catalog_line(), Piece(" ")], width)

    def _tabs(self, width: int) -> Line:
        pieces = [Piece(" ")]
        for number, (name, title) in enumerate(_TABS, start=1):
            style = "accent" if name == self.MODE else "dim"
            pieces += [Piece(f"{number} {title}", style, f"go-{name}"), Piece(_GAP)]
        return pieces

    def _keys(self, width: int) -> Line:
        pieces = [Piece(" ")]
        used = 1
        for entry in (*self.FOOTER, "help"):
            ids, _, text = entry.partition("=")
            actions = [action_named(each) for each in ids.split("+")]
            if self.check_action(actions[0].action, ()) is False:
                continue
            keys = "/".join(self.tui.key_of(action) for action in actions)
            text = text or actions[0].text
            used += len(keys) + 1 + len(text) + len(_GAP)
            if used > width + len(_GAP):
                break
            pieces += [Piece(keys, "accent", actions[0].id), Piece(f" {text}", "", actions[0].id)]
            pieces.append(Piece(_GAP))
        return pieces

    def on_bar_pressed(self, message: Bar.Pressed) -> None:
        """Do what was clicked."""
        self.do(message.action)

    def do(self, action_id: str) -> None:
        """Start an action as its key does."""
        self.start(partial(self._run, action_named(action_id).action), group="action")

    async def _run(self, action: str) -> None:
        await self.run_action(action)

    def key(self, action_id: str) -> str:
        """The key of an action, as the user has it."""
        return self.tui.key_of(action_named(action_id))

    # -- loading -------------------------------------------------------------------------------

    async def load(self) -> None:
        """Read what the screen shows."""

    def on_mount(self) -> None:
        """Read for the first time, after the frame is on the screen."""
        self.call_after_refresh(self.reload)

    def reload(self) -> None:
        """Read everything again."""
        if self.tui.is_open:
            self.loaded_version = self.tui.version
            self.start(self._loaded, group="load")

    async def _loaded(self) -> None:
        await self.load()
        self.has_loaded = True

    def catalog_changed(self) -> None:
        """Somebody recorded something; the screen is in sight."""
        self.reload()

    def on_screen_resume(self) -> None:
        """Catch up with what was recorded while another screen was in sight."""
        if self.loaded_version not in (-1, self.tui.version):
            self.catalog_changed()
        self.show_bars()

    async def ask(self, question: Callable[[Catalog], T], lane: str = "detail") -> T:
        """Ask the catalog in a thread of its own.

        Raises:
            CatalogError: it cannot be read now.
        """
        return await self.tui.lookups[lane].ask(question)

    def start(self, work: Work, *, group: str) -> None:
        """Do something in the background; what of the same group is under way is dropped."""
        guarded: Any = partial(self._guarded, work)
        self.run_worker(guarded, group=group, exclusive=True, exit_on_error=False)

    async def _guarded(self, work: Work) -> None:
        try:
            await work()
        except Exception as error:
            # A screen that has left the history has no widgets to fill any more.
            if self.is_attached:
                self.tui.trouble(error)

    # -- actions that are everywhere -----------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave out what changes anything where one may only look."""
        if action == "search" and isinstance(self.focused, Input):
            return False
        return not (action in _CHANGING and self.tui.read_only)

    def action_search(self) -> None:
        """Go to the search of all tasks."""
        self.tui.search_tasks()

    def action_back(self) -> None:
        """Forget the marks; go back."""
        if not self.clear_marks():
            self.tui.action_history(-1)

    def action_refresh(self) -> None:
        """Read everything again."""
        if self.tui.reopen_if_replaced():
            return
        self.reload()
        self.notify("Read again.", timeout=1)

    def action_open(self) -> None:
        """Open what the cursor is on."""

    def action_copy_route(self) -> None:
        """Copy the command that opens this screen."""
        self.tui.copy(f"superluigi tui '{self.route}'", "the command")
