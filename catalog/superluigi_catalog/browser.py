"""What screens ask: long lists a part at a time, numbers for an overview, and whether anything changed."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Literal, Protocol

from superluigi_catalog.connected import Connected
from superluigi_catalog.reading import listing, overview
from superluigi_catalog.reading.closure import count_reached
from superluigi_catalog.reading.task_filter import TaskFilter
from superluigi_catalog.reading.tasks import tasks_by_id

if TYPE_CHECKING:
    from superluigi_catalog.moments import Moment
    from superluigi_catalog.results import Task
    from superluigi_catalog.storage.session import Session

__all__ = ["Browser", "TaskListing"]

_COUNTED_AT_ONCE = 20_000


class _Readable(Protocol):
    def _reading(self) -> AbstractContextManager[Session]: ...


class TaskListing:
    """The tasks that answer to a filter, newest first; made by `Catalog.listing`.

    It grows by `fetch`, and what was fetched keeps its place: tasks that are recorded meanwhile are only
    counted, by `newer`. A million tasks take 8 MB.
    """

    def __init__(self, catalog: _Readable, query: listing.ListingQuery) -> None:
        self._catalog = catalog
        self._query = query
        self._ids: array[int] = array("q")
        self.is_complete = False
        """Whether all that there are have been fetched."""

    def __len__(self) -> int:
        return len(self._ids)

    def fetch(self, count: int) -> bool:
        """Find more tasks.

        Args:
            count: How many, about.

        Returns:
            Whether there may be more.
        """
        with self._catalog._reading() as session:
            found = listing.next_ids(session, self._query, self._ids, count)
        self._ids.extend(found)
        self.is_complete = len(found) < count
        return not self.is_complete

    def page(self, first: int, count: int) -> tuple[Task, ...]:
        """Load a part.

        Args:
            first: The first one's place in the list, from 0.
            count: How many at most.
        """
        ids = self._ids[first : first + count]
        with self._catalog._reading() as session:
            found = tasks_by_id(session, ids)
        return tuple(found[number] for number in ids if number in found)

    def newer(self) -> int:
        """Count the tasks that were recorded since and belong into the list; up to a thousand."""
        with self._catalog._reading() as session:
            return listing.count_newer(session, self._query, self._ids)

    def sorted(self, order: str, *, reverse: bool = False) -> TaskListing:
        """Give a list of the same tasks in another order.

        Args:
            order: A key of `ORDERS`.
            reverse: The other way round.
        """
        other = TaskListing(self._catalog, self._query)
        with self._catalog._reading() as session:
            other._ids = listing.sorted_ids(session, self._ids, order, reverse=reverse)
        other.is_complete = True
        return other


class Browser(Connected):
    """Answers screens, which must not wait: everything comes in pieces and can be interrupted."""

    def listing(
        self,
        *,
        family: str | None = None,
        params: Mapping[str, Any] | None = None,
        status: str | Collection[str] | None = None,
        search: str = "",
        since: Moment | None = None,
    ) -> TaskListing:
        """Begin a list of the tasks for which all of these hold; nothing is fetched yet.

        Args:
            family: Its name.
            params: Values of parameters by name, compared as text.
            status: One of `STATUSES`, or several.
            search: Words, as for `tasks`.
            since: As for `tasks`.

        Raises:
            ValueError: there is no such status; a range or a moment that is none.
        """
        with self._reading() as session:
            wanted = TaskFilter(session)
            if family is not None:
                wanted.family(family)
            if params:
                wanted.params(params)
            if status is not None:
                wanted.status(status)
            if since is not None:
                wanted.since(since)
        return TaskListing(self, listing.ListingQuery(wanted, search))

    def count_reached(
        self, ref: Any, direction: Literal["upstream", "downstream"], *, most: int = 1000
    ) -> int:
        """Count the tasks upstream or downstream of one, no further than `most`.

        Raises:
            TaskNotFound, AmbiguousHash: for the ref.
        """
        with self._reading() as session:
            return count_reached(session, self._refs(session).task(ref), direction, most)

    def data_version(self) -> int:
        """Give a number that changes when another connection has recorded something.

        Comparable only between calls in one thread.
        """
        with self._reading() as session:
            row = session.row("PRAGMA data_version")
        return int(row[0]) if row else 0

    def status_counts(self) -> Iterator[dict[str, int]]:
        """Count tasks by status, in steps: each has what was counted so far."""
        counts: dict[str, int] = {}
        with self._reading() as session:
            high = overview.newest_task(session)
        while high > 0:
            low = max(0, high - _COUNTED_AT_ONCE)
            with self._reading() as session:
                found = overview.statuses_between(session, low, high)
            for status, count in found.items():
                counts[status] = counts.get(status, 0) + count
            high = low
            yield dict(counts)

    def families(self) -> dict[str, int]:
        """Count the tasks of each family, ordered by name."""
        with self._reading() as session:
            return overview.families(session)

    def runs_by_day(self, since: str) -> dict[tuple[str, str], int]:
        """Count runs by day (`2026-01-05`) and status.

        Args:
            since: UTC, ISO 8601.
        """
        with self._reading() as session:
            return overview.runs_by_day(session, since)

    def slowest_families(self, limit: int = 3) -> list[tuple[str, float]]:
        """List the families whose runs usually take longest, with the seconds, the slowest first."""
        with self._reading() as session:
            return overview.slowest_families(session, limit)
