"""What a fingerprint consists of: the part, the whole, and what could not be followed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["CodeFingerprint", "CodePart", "NotFollowed"]


@dataclass(frozen=True)
class CodePart:
    """One function, class, attribute, module-level name or file that a task reaches."""

    name: str
    """Dotted and qualified, e.g. `flows.predictions.PredictionsTask.run`; a file's relative path."""
    file: str
    """With forward slashes, relative to the root of the project."""
    line: int
    fingerprint: str
    """`code1:` and 32 hex digits over the text and what its names lead to."""
    source: str
    """As it stands in the file, comments included."""

    def to_dict(self, *, include_source: bool = False) -> dict[str, Any]:
        """The part as JSON types."""
        row: dict[str, Any] = {
            "name": self.name,
            "file": self.file,
            "line": self.line,
            "fingerprint": self.fingerprint,
        }
        if include_source:
            row["source"] = self.source
        return row


@dataclass(frozen=True, order=True)
class NotFollowed:
    """One place where the code leads somewhere that its text does not tell."""

    kind: str
    """What stands there: see `superluigi.code.vocabulary.NOT_FOLLOWED_KINDS`."""
    name: str
    """The part, module or class it was met in."""
    file: str
    line: int
    """1-based; 0 where there is no line to name."""
    text: str
    """The line of source, or what was looked for."""

    def to_dict(self) -> dict[str, Any]:
        """The entry as JSON types."""
        return {
            "kind": self.kind,
            "name": self.name,
            "file": self.file,
            "line": self.line,
            "text": self.text,
        }


@dataclass(frozen=True)
class CodeFingerprint:
    """The state of the code behind one task class."""

    fingerprint: str | None
    """`code1:` and 32 hex digits (128 bits of a SHA-256); None where the class switches it off."""
    parts: tuple[CodePart, ...] = ()
    """Everything reached, sorted by name."""
    not_followed: tuple[NotFollowed, ...] = ()
    """What may run and is not in the fingerprint."""
    code_version: str | None = None
    """The class's own `code_version`, when that replaced the computed fingerprint."""

    def to_dict(self, *, include_source: bool = False) -> dict[str, Any]:
        """The fingerprint as JSON types; `code_version` is there only when it was used."""
        row: dict[str, Any] = {
            "fingerprint": self.fingerprint,
            "parts": [part.to_dict(include_source=include_source) for part in self.parts],
            "not_followed": [entry.to_dict() for entry in self.not_followed],
        }
        if self.code_version is not None:
            row["code_version"] = self.code_version
        return row
