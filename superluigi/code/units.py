"""From statements to units: their text, their lines, and what they refer to."""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping, Sequence

from superluigi.code.canonical import canonical_text, digest_of
from superluigi.code.findings import Findings
from superluigi.code.references import ReferenceWalk
from superluigi.code.scopes import Origin, Scope
from superluigi.code.statements import Placed, first_line
from superluigi.code.symbols import Reference, Unit

__all__ = ["UnitMaker", "encoded"]


class UnitMaker:
    """Makes the units of one file.

    Args:
        lines: The lines of the file.
        imports: What the module imports, by local name.
    """

    def __init__(self, lines: Sequence[str], imports: Mapping[str, Origin]) -> None:
        self._lines = lines
        self._imports = imports
        self._found: dict[tuple[Placed, bool], Findings] = {}

    def findings(
        self, placed: Placed, scope: Scope, *, keep_field_annotations: bool = False
    ) -> Findings:
        """What one statement and its conditions refer to, looked up in a scope."""
        key = (placed, keep_field_annotations)
        if key not in self._found:
            found = Findings(self._lines, self._imports)
            walk = ReferenceWalk(found, keep_field_annotations=keep_field_annotations)
            walk.walk((*placed.guards, placed.statement), scope)
            self._found[key] = found
        return self._found[key]

    def unit(
        self,
        kind: str,
        group: Sequence[Placed],
        scope: Scope,
        *,
        keep_field_annotations: bool = False,
    ) -> Unit:
        """One unit of one or several statements."""
        found = [
            self.findings(placed, scope, keep_field_annotations=keep_field_annotations)
            for placed in group
        ]
        texts: list[str] = []
        for placed in group:
            texts.extend(canonical_text(guard) for guard in placed.guards)
            texts.append(
                canonical_text(placed.statement, keep_field_annotations=keep_field_annotations)
            )
        return _assembled(kind, group, texts, found)

    def header(self, node: ast.ClassDef, guards: tuple[ast.expr, ...], scope: Scope) -> Unit:
        """The unit of a class statement without its body."""
        header = copy.copy(node)
        header.body = []
        header.end_lineno = max(node.lineno, first_line(node.body[0]) - 1)
        found = Findings(self._lines, self._imports)
        values = (keyword.value for keyword in node.keywords)
        ReferenceWalk(found).walk((*guards, *node.decorator_list, *node.bases, *values), scope)
        texts = [canonical_text(part) for part in (*guards, header)]
        return _assembled("class", [Placed(header, guards)], texts, [found])


def encoded(references: set[Reference]) -> list[str]:
    """References as sorted strings."""
    return sorted(reference.encode() for reference in references)


def _assembled(
    kind: str, group: Sequence[Placed], texts: Sequence[str], found: Sequence[Findings]
) -> Unit:
    return Unit(
        kind=kind,
        line=min(placed.statement.lineno for placed in group),
        spans=_spans(group),
        digest=digest_of(*texts),
        references=encoded({each for part in found for each in part.references}),
        mutates=encoded({each for part in found for each in part.mutates}),
        files=sorted({each for part in found for each in part.files}),
        dynamic=[list(each) for each in sorted({each for part in found for each in part.dynamic})],
    )


def _spans(group: Sequence[Placed]) -> list[list[int]]:
    """First and last lines, in the order of the file, conditions included."""
    spans: set[tuple[int, int]] = set()
    for placed in group:
        spans.update((guard.lineno, guard.end_lineno or guard.lineno) for guard in placed.guards)
        statement = placed.statement
        spans.add((first_line(statement), statement.end_lineno or statement.lineno))
    return [list(span) for span in sorted(spans)]
