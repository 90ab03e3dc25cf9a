"""The plan of a rerun: made by a child process with the user's code, shown, and started only on purpose."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from superluigi_catalog import CatalogError
from superluigi_tui.children import CommandFailed
from superluigi_tui.plan_lines import (
    PLAN_COLUMNS,
    Replaced,
    button_line,
    headline,
    mode_line,
    option_line,
    plan_rows,
    replaced_by,
    replaced_line,
)
from superluigi_tui.rerun_request import (
    MODES,
    PlanShown,
    RerunRequest,
    families_above,
    sinks_below,
)
from superluigi_tui.screens.choice import Choice
from superluigi_tui.screens.dialog import Dialog
from superluigi_tui.screens.prompt import Prompt
from superluigi_tui.screens.said import Said
from superluigi_tui.texts import fit, one_line
from superluigi_tui.widgets.bars import Bar
from superluigi_tui.widgets.line_view import TextPane
from superluigi_tui.widgets.pieces import Line, Piece, wrapped
from superluigi_tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from superluigi_tui.app import SuperLuigiApp

__all__ = ["RerunDialog"]

_INNER_WIDTH = 64
_OTHER_LINES = 14
_SHOWN_COMMAND = 52
_FRAME = re.compile(r'File "([^"]+)", line (\d+)')


class RerunDialog(Dialog[RerunRequest]):
    """Answers with what to start; None when nothing is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r", "run", show=False),
        Binding("a", "show_all", show=False),
        Binding("plus,equals_sign", "workers(1)", show=False),
        Binding("minus", "workers(-1)", show=False),
        Binding("e", "resume", show=False),
        Binding("o", "look_closer", show=False),
        Binding("p", "place", show=False),
        Binding("y", "copy", show=False),
        *(Binding(str(n), f"mode({n - 1})", show=False) for n in range(1, len(MODES) + 1)),
    ]

    def __init__(self, request: RerunRequest) -> None:
        super().__init__(f"Rerun {request.title}", "nothing is started before ctrl+r")
        self.request = request
        self.plan: PlanShown | None = None
        self._shows_all = False
        self._replaced: list[Replaced] = []
        self._message = ""

    @property
    def _tui(self) -> SuperLuigiApp:
        return cast("SuperLuigiApp", self.app)

    def compose_box(self) -> Iterable[Any]:
        """Give the modes, the plan, the options and the keys."""
        for number in range(0, len(MODES), 3):
            yield Bar(partial(self._modes, number), classes="modes")
        yield Bar(self._headline, id="headline")
        yield RowList(PLAN_COLUMNS, id="plan")
        yield TextPane(id="trouble")
        yield Bar(self._notes, id="notes")
        yield Bar(lambda width: option_line(self.request), id="options")
        yield Bar(self._place, id="place")
        yield Input(placeholder="type the number of tasks to start them", compact=True, id="typed")
        yield Bar(lambda width: button_line(self.plan), id="buttons")

    def on_mount(self) -> None:
        """Plan."""
        self.query_one("#plan", RowList).focus()
        self._replan()

    # -- planning ------------------------------------------------------------------------------

    def _replan(self) -> None:
        self.plan, self._message, self._replaced = None, "", []
        self._draw()
        # A worker of the dialog: closing that ends the child.
        plan: Any = partial(self._plan, self.request)
        self.run_worker(plan, group="plan", exclusive=True, exit_on_error=False)

    async def _plan(self, request: RerunRequest) -> None:
        try:
            answer = await self._tui.answer_of(request.plan_words(), request.cwd)
            plan = PlanShown.from_document(answer.document)
            self._replaced = await self._tui.lookups["detail"].ask(lambda c: replaced_by(c, plan))
            self.plan = plan
        except (CommandFailed, CatalogError, OSError) as error:
            self._message = str(error)
        self._draw()

    # -- drawing -------------------------------------------------------------------------------

    def _draw(self) -> None:
        rows = self.query_one("#plan", RowList)
        glyphs = self._tui.glyphs
        rows.set_rows(plan_rows(self.plan, glyphs, shows_all=self._shows_all) if self.plan else [])
        rows.styles.height = max(1, min(rows.count, self.app.size.height - _OTHER_LINES))
        rows.display = not self._message
        trouble = self.query_one("#trouble", TextPane)
        trouble.display = bool(self._message)
        if self._message:
            self._show_message(trouble)
        typed = self.query_one("#typed", Input)
        typed.display = self.plan is not None and self.plan.needs_typing(self.request.mode)
        box = self.query_one(".box", Vertical)
        command = fit(one_line(self.request.command()), _SHOWN_COMMAND).rstrip()
        box.border_subtitle = Content(glyphs.plain(f"$ {command} · y copy"))
        for bar in self.query(Bar):
            bar.refresh()

    def _show_message(self, pane: TextPane) -> None:
        lines = self._message.strip().splitlines()[-40:]
        parts = [
            part
            for line in lines
            for words in textwrap.wrap(line.expandtabs(4), _INNER_WIDTH, break_on_hyphens=False)
            for part in wrapped([Piece(words, "failed")], _INNER_WIDTH)
        ]
        pane.set_lines(parts)
        pane.styles.height = min(len(parts), 10)
        pane.scroll_end(animate=False)

    def _modes(self, first: int, width: int) -> Line:
        return mode_line(self.request, first, self._tui.glyphs)

    def _headline(self, width: int) -> Line:
        if self._message:
            hint = "   o opens the line, esc closes: browsing needs no code"
            return [Piece("Cannot plan", "failed"), Piece(hint, "dim")]
        if self.plan is None:
            return [Piece("planning with your code as it is now …", "dim")]
        return headline(self.plan, self._tui.glyphs)

    def _notes(self, width: int) -> Line:
        return replaced_line(self.plan, self.request, self._replaced) if self.plan else ()

    def _place(self, width: int) -> Line:
        home, cwd = str(Path.home()), str(self.request.cwd)
        short = f"~{cwd.removeprefix(home)}" if cwd.startswith(f"{home}/") else cwd
        return [Piece(f"python {self._tui.python}   in {short}", "dim", "place")]

    # -- actions -------------------------------------------------------------------------------

    def on_bar_pressed(self, message: Bar.Pressed) -> None:
        """Do what was clicked."""
        name, _, number = message.action.partition(":")
        calls = {
            "close": self.action_close,
            "run": self.action_run,
            "resume": self.action_resume,
            "place": self.action_place,
            "replaced": self.action_look_closer,
        }
        if name == "mode":
            self.action_mode(int(number))
        else:
            calls[name]()

    def action_mode(self, number: int) -> None:
        """Plan in another mode."""
        mode = list(MODES)[number]
        if mode in ("from", "downstream"):
            self._tui.in_background(partial(self._prepare, mode), group="mode")
        else:
            self._change(mode=mode)

    async def _prepare(self, mode: str) -> None:
        """Ask the catalog what a mode needs to know."""
        lane, tasks = self._tui.lookups["detail"], self.request.tasks
        if mode == "downstream":
            self._change(mode=mode, sinks=await lane.ask(lambda c: sinks_below(c, tasks)))
            return
        families = await lane.ask(lambda c: families_above(c, tasks))
        if not families:
            self.notify("Nothing is upstream of it.", timeout=2)
            return
        self._tui.push_screen(Choice("Force from which class down?", families), self._from)

    def _from(self, family: str | None) -> None:
        if family is not None:
            self._change(mode="from", forced_from=family)

    def _change(self, **changes: Any) -> None:
        if self.is_attached:
            self.request = replace(self.request, **changes)
            self._replan()

    def action_show_all(self) -> None:
        """Show also what is up to date."""
        self._shows_all = not self._shows_all
        self._draw()

    def action_workers(self, step: int) -> None:
        """More or fewer workers."""
        workers = max(1, min(64, self.request.workers + step))
        self.request = replace(self.request, workers=workers)
        self._draw()

    def action_resume(self) -> None:
        """Go on with the last build, or not."""
        self._change(resumes=not self.request.resumes)

    def action_look_closer(self) -> None:
        """List what is replaced; where nothing can be planned, open the line that says why."""
        if self._message:
            frames = _FRAME.findall(self._message)
            if frames:
                self._tui.edit(Path(self.request.cwd, frames[-1][0]), int(frames[-1][1]))
                self._replan()
        elif self._replaced:
            lines = (f"{each.family}  {one_line(each.uri)}" for each in self._replaced)
            self._tui.push_screen(Said("Replaced when their runs succeed", "\n".join(lines)))

    def action_place(self) -> None:
        """Ask with which Python, and where, the code is imported."""

        def chosen_python(text: str | None) -> None:
            if text:
                self._tui.python = text
                self._tui.push_screen(Prompt("In which directory?", str(self.request.cwd)), chosen)

        def chosen(text: str | None) -> None:
            if text:
                self._change(cwd=Path(text).expanduser())

        self._tui.push_screen(Prompt("Which Python?", self._tui.python), chosen_python)

    def action_copy(self) -> None:
        """Copy the error, else the command."""
        if self._message:
            self._tui.copy(self._message, "the error")
        else:
            self._tui.copy(self.request.command(), "the command")

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """The number was typed."""
        self.action_run()

    def action_run(self) -> None:
        """Start it, if that is what the user has seen and wants."""
        if self.plan is None or not self.plan.to_run:
            self.notify("There is nothing to run.", timeout=2)
            return
        typed = self.query_one("#typed", Input)
        if typed.display and typed.value.strip() != str(self.plan.to_run):
            self.notify(f"Type {self.plan.to_run} to run so many tasks.", timeout=3)
            self.set_focus(typed)
            return
        self.dismiss(self.request)
