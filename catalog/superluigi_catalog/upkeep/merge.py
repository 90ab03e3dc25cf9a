"""Catalogs as files: a copy of one, and another one taken into it."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from superluigi_catalog.connected import Connected
from superluigi_catalog.errors import AcceptanceRefused, CatalogError
from superluigi_catalog.reading import run_by_uuid
from superluigi_catalog.recording.acceptances import withdraw
from superluigi_catalog.storage.connection import connect
from superluigi_catalog.storage.schema import statements
from superluigi_catalog.storage.session import Session
from superluigi_catalog.upkeep.reports import Merged

__all__ = ["export", "merge"]

_TEMPORARY = (
    "merged_builds",
    "taken_tasks",
    "merged_tasks",
    "taken_runs",
    "merged_runs",
    "merged_targets",
    "merged_contents",
    "moved_tasks",
    "taken_edges",
)
_COUNTED = ("tasks", "runs", "builds", "targets")


def export(store: Connected, path: Path, *, replace: bool) -> Path:
    """Write all of a catalog to a file of its own, as it is at one instant."""
    if os.path.lexists(path) and not replace:
        message = f"{str(path)!r} exists already. Name another file, or let it be replaced."
        raise CatalogError(message, path=str(path))
    if path.exists() and path.samefile(store.path):
        message = f"{str(path)!r} is the catalog itself. Name another file."
        raise CatalogError(message, path=str(path))
    if not path.parent.is_dir():
        message = f"The directory of {str(path)!r} does not exist. Make it, or name another."
        raise CatalogError(message, path=str(path))
    # Beside it first: whoever reads `path` sees all of it or nothing.
    made = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with store._outside() as session:
            session.execute("VACUUM INTO ?", (os.fsdecode(made),))
        made.replace(path)
    except OSError as error:
        message = f"{str(path)!r} cannot be written: {error.strerror}."
        raise CatalogError(message, path=str(path)) from error
    finally:
        made.unlink(missing_ok=True)
    return path


def merge(store: Connected, path: Path) -> Merged:
    """Take another catalog into this one, in one transaction."""
    started = time.monotonic()
    connect(path, read_only=True).close()  # says what is wrong with it
    if path.samefile(store.path):
        message = f"{str(path)!r} is the catalog itself. Name another one."
        raise CatalogError(message, path=str(path))
    with store._outside() as session, _attached(session, path), session.transaction():
        before = _counts(session)
        script = Path(__file__).with_name("merge.sql").read_text(encoding="utf-8")
        for statement in statements(script):
            session.execute(statement)
        _withdraw(session)
        after = _counts(session)
        for name in _TEMPORARY:
            session.execute(f"DROP TABLE temp.{name}")
    new = {name: after[name] - before[name] for name in before}
    return Merged(**new, duration_s=round(time.monotonic() - started, 3))


_WITHDRAWN = """
SELECT o.uuid FROM other.runs o JOIN main.runs m ON m.uuid = o.uuid
WHERE o.status = 'withdrawn' AND m.status = 'accepted' ORDER BY o.started_at DESC, o.id DESC
"""


def _withdraw(session: Session) -> None:
    """Take back the acceptances that were taken back there; what was taken back here stays so."""
    for (uuid,) in session.rows(_WITHDRAWN):
        run = run_by_uuid(session, uuid)
        if run is not None:
            # Where nobody knows what stood before it, it has to stay.
            with contextlib.suppress(AcceptanceRefused):
                withdraw(session, run)


@contextmanager
def _attached(session: Session, path: Path) -> Iterator[None]:
    # Their schema is as little trusted as their rows.
    session.execute("PRAGMA trusted_schema = OFF")
    uri = f"file:{urllib.parse.quote(os.fsencode(path))}?mode=ro"
    session.execute("ATTACH ? AS other", (uri,))
    try:
        yield
    finally:
        session.ids.clear()
        session.execute("DETACH other")


def _counts(session: Session) -> dict[str, Any]:
    rows = session.rows(
        """
        SELECT (SELECT count(*) FROM main.tasks WHERE is_stub = 0),
          (SELECT count(*) FROM main.runs WHERE status IS NOT NULL),
          (SELECT count(*) FROM main.builds WHERE status IS NOT NULL), (SELECT count(*) FROM main.targets)
        """
    )
    return dict(zip(_COUNTED, rows[0], strict=True))
