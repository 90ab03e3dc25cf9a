"""What a walk over one piece of source has found so far."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from superluigi.code.scopes import CALL, Origin, Scope
from superluigi.code.symbols import Reference
from superluigi.code.vocabulary import OPTIONAL_FILES, REQUIRED_FILES

__all__ = ["EVERYTHING", "Findings"]

EVERYTHING = "*"
"""Stands at the end of a chain for every attribute of what the chain leads to."""

_LONGEST_TEXT = 120
_LONGEST_NAME = 300


class Findings:
    """References, changes, files of code and dynamic places of one unit.

    Args:
        lines: The lines of the file, for the texts of dynamic places.
        imports: What the module itself imports, by local name.
    """

    def __init__(self, lines: Sequence[str], imports: Mapping[str, Origin]) -> None:
        self._lines = lines
        self._imports = imports
        self.references: set[Reference] = set()
        self.mutates: set[Reference] = set()
        self.files: set[str] = set()
        self.dynamic: set[tuple[str, int, str]] = set()
        self.local_classes: list[tuple[ast.ClassDef, Scope]] = []
        """Classes inside functions, each with the scope it stands in."""

    def refer(self, chain: tuple[str, ...], scope: Scope) -> None:
        """Note a chain that is read here."""
        meaning, origin = scope.lookup(chain[0])
        if meaning == "global" or meaning == "import":
            self.references.add(self._absolute(chain, origin))
            return
        if meaning == "receiver":
            self._refer_to_receiver(chain[1:])
        elif meaning == "member":
            # A class body reads the module's name of the same spelling until its own is bound.
            self.references.add(Reference("member", chain[:1]))
            self.references.add(Reference("name", chain))
            self.attributes(chain[1:])
        else:
            self.attributes(chain[1:])

    def refer_to_base(self, chain: tuple[str, ...]) -> None:
        """Note an attribute taken from `super()`."""
        self.references.add(Reference("super", chain))
        self.attributes(chain[1:])

    def attributes(self, names: Sequence[str]) -> None:
        """Note attributes of an object that is not known."""
        self.references.update(
            Reference("attribute", (name,)) for name in names if name.isidentifier()
        )

    def change(self, chain: tuple[str, ...], scope: Scope) -> None:
        """Note that what a chain leads to is changed here, unless it is local."""
        meaning, origin = scope.lookup(chain[0])
        if meaning == "global" or meaning == "import":
            self.mutates.add(self._absolute(chain, origin))

    def note(self, kind: str, node: ast.AST) -> None:
        """Note a place that cannot be followed, with its line of source."""
        line = getattr(node, "lineno", 0)
        text = self._lines[line - 1].strip() if 0 < line <= len(self._lines) else ""
        self.dynamic.add((kind, line, text[:_LONGEST_TEXT]))

    def file(self, text: str) -> None:
        """Note a string that may name a file of code."""
        if len(text) > _LONGEST_NAME or "\n" in text:
            return
        if text.endswith(REQUIRED_FILES) or (text.endswith(OPTIONAL_FILES) and " " not in text):
            self.files.add(text)

    def dotted(self, chain: tuple[str, ...], scope: Scope) -> str:
        """A chain spelt from the module it is imported from, calls left out; empty for a local."""
        meaning, origin = scope.lookup(chain[0])
        if meaning not in ("global", "import"):
            return ""
        origin = origin or self._imports.get(chain[0])
        names = [name for name in chain if name != CALL]
        if origin is not None:
            module, level, name = origin
            names[:1] = [part for part in ("." * level + module, name) if part]
        return ".".join(names)

    def _refer_to_receiver(self, chain: tuple[str, ...]) -> None:
        while chain[:1] == ("__class__",):
            chain = chain[1:]
        if chain:
            self.references.add(Reference("self", chain))
            self.attributes(chain[1:])

    @staticmethod
    def _absolute(chain: tuple[str, ...], origin: Origin | None) -> Reference:
        return Reference("name" if origin is None else "import", chain, origin)
