"""What a list of tasks is narrowed to: words and conditions, as an address holds them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from superluigi_tui.routes import Route

__all__ = ["SINCE", "SORTS", "TaskFilter"]

SORTS = ("newest", "age", "family", "status", "duration")
SINCE = {
    "": "any time",
    "1h": "the last hour",
    "1d": "the last day",
    "7d": "7 days",
    "30d": "30 days",
}

_SPAN = re.compile(r"(\d{1,4})([hd])")


@dataclass(frozen=True)
class TaskFilter:
    """All that narrows the list, and its order."""

    text: str = ""
    status: str = ""
    family: str = ""
    since: str = ""
    """A span such as `30d`, or a date."""
    param: str = ""
    """`name=value`."""
    sort: str = "newest"

    @classmethod
    def from_route(cls, route: Route) -> TaskFilter:
        """Read it from an address."""
        options = dict(route.options)
        return cls(options.pop("q", ""), **options)

    def in_route(self, route: Route) -> Route:
        """Write it into an address."""
        return route.with_options(
            q=self.text,
            status=self.status,
            family=self.family,
            since=self.since,
            param=self.param,
            sort="" if self.sort == "newest" else self.sort,
        )

    @property
    def has_conditions(self) -> bool:
        """Whether anything narrows the list besides the text."""
        return any((self.status, self.family, self.since, self.param))

    def cleared(self) -> TaskFilter:
        """Without text and conditions."""
        return TaskFilter(sort=self.sort)

    def with_next_sort(self) -> TaskFilter:
        """In the next order."""
        at = SORTS.index(self.sort) if self.sort in SORTS else -1
        return replace(self, sort=SORTS[(at + 1) % len(SORTS)])

    def arguments(self) -> dict[str, Any]:
        """What `Catalog.listing` is called with."""
        name, _, value = self.param.partition("=")
        return {
            "search": self.text,
            "status": self.status or None,
            "family": self.family or None,
            "params": {name: value} if self.param else None,
            "since": self._since(),
        }

    def _since(self) -> datetime | str | None:
        span = _SPAN.fullmatch(self.since)
        if span is None:
            return self.since or None
        unit = {"h": "hours", "d": "days"}[span[2]]
        return datetime.now(timezone.utc) - timedelta(**{unit: int(span[1])})
