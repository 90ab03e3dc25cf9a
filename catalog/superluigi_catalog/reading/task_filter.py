"""Which tasks are wanted."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from superluigi_catalog.moments import Moment, utc_moment
from superluigi_catalog.reading.param_filters import param_conditions
from superluigi_catalog.reading.status import STATUS, candidates
from superluigi_catalog.reading.words import match_of
from superluigi_catalog.results import checked_statuses
from superluigi_catalog.storage.session import Session
from superluigi_catalog.storage.values import storable

__all__ = ["TaskFilter"]

_HASH_PREFIX = re.compile(r"[0-9a-f]{4,32}")

_BEYOND_ALL = 2**63 - 1
_MANY_RUNS = 100_000
"""From here on it is quicker to look at the tasks one by one until the page is full."""
_COUNT_SINCE = "SELECT count(*) FROM (SELECT 1 FROM runs WHERE started_at >= ? LIMIT ?)"
_SINCE = "(SELECT started_at FROM runs WHERE id = t.last_run_id) >= ?"
_RAN_SINCE = "t.id IN (SELECT task_id FROM runs WHERE started_at >= ?)"


class TaskFilter:
    """Conditions on tasks, all of which must hold: constant SQL, with the values apart."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._conditions = ["NOT t.is_stub"]
        self.values: list[Any] = []
        self.last = _BEYOND_ALL
        """Only tasks with a smaller id."""
        self.match: str | None = None
        """What is searched for, in the language of FTS5."""
        self.hash_prefix: str | None = None
        """What is searched for may be this."""

    def family(self, name: str) -> None:
        """Of this family."""
        self._add("t.family_id IN (SELECT id FROM families WHERE name = ?)", storable(name))

    def params(self, params: Mapping[str, Any]) -> None:
        """With these values of parameters, or values in these ranges (see `param_conditions`).

        Raises:
            ValueError: a range of what is neither numbers nor dates.
        """
        for name, value in params.items():
            for condition, values in param_conditions(name, value):
                self._add(condition, *values)

    def status(self, status: str | Collection[str]) -> None:
        """With one of these statuses.

        Raises:
            ValueError: there is no such status.
        """
        wanted = checked_statuses(status)
        found = candidates(wanted)
        if found is not None:
            self._conditions.append(" ".join(("t.id IN (", found, ")")))
        is_wanted = " ".join((STATUS, "IN (SELECT value FROM json_each(?))"))
        self._add(is_wanted, json.dumps(sorted(wanted)))

    def search(self, text: str) -> None:
        """With words that begin with all of these; or with this beginning of a hash."""
        self.match = match_of(self._session, text)
        if self.match is None:
            return
        prefix = text.strip().lower()
        if _HASH_PREFIX.fullmatch(prefix):
            self.hash_prefix = prefix

    def since(self, when: Moment) -> None:
        """Whose last run began at this time or later.

        Raises:
            ValueError: it says no moment.
        """
        moment = utc_moment(when)
        ((found,),) = self._session.rows(_COUNT_SINCE, (moment, _MANY_RUNS))
        if found < _MANY_RUNS:
            self._add(_RAN_SINCE, moment)
        self._add(_SINCE, moment)

    def after(self, task: int) -> None:
        """Further down the list than this one."""
        self.last = task

    @property
    def sql(self) -> str:
        """The conditions, with a `?` for each value; the tables are those of `reading.tasks`."""
        return " AND ".join(self._conditions)

    def _add(self, condition: str, *values: Any) -> None:
        self._conditions.append(condition)
        self.values += values
