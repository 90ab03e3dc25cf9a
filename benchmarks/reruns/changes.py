"""The changes, one row of the table each."""

from __future__ import annotations

import re
from collections.abc import Callable

from project import NotApplicable, Project
from tools import Edit, Tool

__all__ = ["CHANGES"]

LINE = 'cleaned = " ".join(words)'
"""Stands in every tool's Clean."""

Make = Callable[[Project], None]


def _nothing(_: Project) -> None:
    """Change nothing."""


def _in_clean(new: str) -> Make:
    """Replace the line in Clean; each line of the new text gets its indentation."""

    def make(project: Project) -> None:
        path = project.root / project.tool.clean
        indent = re.search(rf"^( *){re.escape(LINE)}$", path.read_text(), re.MULTILINE)
        assert indent is not None
        project.edit(project.tool.clean, LINE, new.replace("\n", "\n" + indent[1]))

    return make


def _docstring(project: Project) -> None:
    """Give the function around the line a docstring, or the script another one."""
    path = project.root / project.tool.clean
    text = path.read_text()
    head, found, rest = text[: text.index(LINE)].rpartition("\n    def ")
    if not found:
        head, found, rest = text[: text.index(LINE)].rpartition("\ndef ")
    if not found:
        project.edit(project.tool.clean, '."""\n', ', explained."""\n')
        return
    line, colon, body = rest.partition(":\n")
    indent = " " * (len(body) - len(body.lstrip()))
    documented = f'{head}{found}{line}{colon}{indent}"""Clean."""\n{body}'
    path.write_text(documented + text[text.index(LINE) :])


def _in_module(name: str, old: str, new: str) -> Make:
    return lambda project: project.edit_module(name, old, new)


def _base_class(project: Project) -> None:
    if project.tool.base_class is None:
        raise NotApplicable
    project.edit(project.tool.base_class, '"cleaned"', '"scrubbed"')


def _all(edits: Callable[[Tool], tuple[Edit, ...]]) -> Make:
    def make(project: Project) -> None:
        for edit in edits(project.tool):
            project.edit(*edit)

    return make


def _delete(*steps: str) -> Make:
    def make(project: Project) -> None:
        for step in steps:
            project.result(step).unlink()

    return make


def _several(*makes: Make) -> Make:
    def make(project: Project) -> None:
        for each in makes:
            each(project)

    return make


def _by_hand(project: Project) -> None:
    path = project.result("report")
    path.write_bytes(path.read_bytes().replace(b"one", b"ONE"))


def _force_raw(project: Project) -> None:
    before = project.result("raw").read_bytes()
    project.do(project.tool.force_raw, SALT="+")
    if project.result("raw").read_bytes() == before:
        message = f"{project.tool.name} did not run Raw"
        raise RuntimeError(message)


_REAL_EDIT = _in_clean('cleaned = "-".join(words)')

CHANGES: dict[str, Make] = {
    "nothing": _nothing,
    "a parameter of all three": lambda project: project.set_parameter("day", "tuesday"),
    "`touch` of Raw's output": lambda project: project.result("raw").touch(),
    "a comment in Clean": _in_clean(f"# why\n{LINE}"),
    "a docstring in Clean": _docstring,
    "an annotation in Clean": _in_clean(LINE.replace("cleaned", "cleaned: str")),
    "a blank line in Clean": _in_clean(LINE + "\n"),
    "Clean reformatted": _in_clean('cleaned = " ".join(\n    words,\n)'),
    "an edit in Clean, other bytes": _REAL_EDIT,
    "an edit in Clean, same bytes": _in_clean('cleaned = " ".join(list(words))'),
    "an edit in the helper that Clean calls": _in_module(
        "cleaning.py", "split(text)", "split(text.upper())"
    ),
    "an edit in a constant that the helper reads": _in_module(
        "cleaning.py", "LIMIT = 2", "LIMIT = 1"
    ),
    "an edit in a base class of Clean": _base_class,
    "an edit in a helper of the helper": _in_module(
        "words.py", "return text.split()", "return text[::-1].split()"
    ),
    "an edit in a function of the helper's module that Clean does not reach": _in_module(
        "cleaning.py", "text.lower()", "text.casefold()"
    ),
    "Raw's output deleted": _delete("raw"),
    "Raw's output deleted, and an edit in Clean": _several(_delete("raw"), _REAL_EDIT),
    "Raw run again alone, other bytes": _force_raw,
    "the external file changed": lambda project: project.source.write_text("uno dos tres"),
    "Report's output edited by hand": _by_hand,
    "Report's output deleted": _delete("report"),
    "Raw's and Report's outputs deleted": _delete("raw", "report"),
    "another parameter of Clean's own, which its path does not name": (
        lambda project: project.set_parameter("n", "4")
    ),
    "a new parameter of Raw with a default": _all(lambda tool: tool.new_parameter),
    "Clean reads OtherRaw instead of Raw": _all(lambda tool: tool.other_upstream),
}
"""What is changed → how, in a project that was built."""
