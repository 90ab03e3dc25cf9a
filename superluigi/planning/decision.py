"""`Decision` and `Reason`: what a build would do with one task, and why, as data."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from superluigi_catalog.text import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["Action", "Decision", "Reason"]

Action = Literal["run", "maybe", "skip", "blocked"]


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason of a decision."""

    kind: str
    """`forced`, `missing`, `interrupted`, `input_changed`, `other_task`, `upstream_runs`, `code_changed`,
    `output_changed`, `environment_changed`, `adopted`, `identity_changed`, `missing_external`,
    `upstream_blocked`, `disabled`, `wrapper`, `not_run`, `unchanged`, `up_to_date`, `expected`,
    `not_yielded`, `yield_not_planned`."""
    text: str
    """One line for a person."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """What changed from what to what, which file and line, which upstream."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {"kind": self.kind, "text": self.text, "details": dict(self.details)}


@dataclass(frozen=True, slots=True)
class Decision:
    """What a build would do with one task; after the build, what became of it."""

    task_hash: str
    """32 hex digits."""
    family: str
    params: Mapping[str, str]
    """The significant ones, serialised."""
    action: Action
    """`run`; `maybe`: an upstream runs, and this one only if that changes an input; `skip`; `blocked`."""
    reasons: tuple[Reason, ...]
    """The deciding one first; a skipped task has some too when something is worth knowing."""
    estimate_s: float | None = None
    """How long its last run took, or runs of its family."""
    is_root: bool = False

    def __str__(self) -> str:
        reason = self.reasons[0].text if self.reasons else "up to date"
        return f"{self.action:<7} {self.label}  {reason}"

    def __rich__(self) -> RenderableType:
        from rich.text import Text

        return Text(printable(str(self)))

    def _repr_html_(self) -> str:
        return f"<code>{html.escape(printable(str(self)))}</code>"

    @property
    def short_label(self) -> str:
        """Family and short hash."""
        return f"{self.family} {self.task_hash[:8]}".rstrip()

    @property
    def label(self) -> str:
        """Family, short hash and parameters on one line."""
        params = ", ".join(f"{name}={value}" for name, value in self.params.items())
        return self.short_label + (f" ({params})" if params else "")

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "task_hash": self.task_hash,
            "family": self.family,
            "params": dict(self.params),
            "action": self.action,
            "reasons": [reason.to_dict() for reason in self.reasons],
            "estimate_s": self.estimate_s,
            "is_root": self.is_root,
        }
