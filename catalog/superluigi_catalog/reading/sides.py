"""What is to be compared: two runs, two tasks by their current runs (else their last), or two builds by what they asked for."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from superluigi_catalog.difference import Diff
from superluigi_catalog.errors import TaskNotFound
from superluigi_catalog.reading.builds import build_number
from superluigi_catalog.reading.diff import Pair, diff_of
from superluigi_catalog.reading.node import NodeKey
from superluigi_catalog.reading.refs import References
from superluigi_catalog.reading.runs import run_number
from superluigi_catalog.reading.standing import with_standing
from superluigi_catalog.results import Build, Run
from superluigi_catalog.storage.session import Session

__all__ = ["diff_before", "diff_between"]

_RUN_BEFORE = with_standing("""
SELECT r.id FROM runs r, runs n WHERE n.id = ? AND r.task_id = n.task_id AND r.id <> n.id
  AND (r.started_at, r.id) < (n.started_at, n.id)
  AND r.status IN STANDING ORDER BY r.started_at DESC, r.id DESC LIMIT 1
""")
_BUILD_BEFORE = """
SELECT b.id, b.uuid FROM builds n CROSS JOIN builds b ON b.started_at <= n.started_at
WHERE n.id = ? AND b.id <> n.id AND b.roots = n.roots AND b.status IS NOT NULL
ORDER BY b.started_at DESC, b.id DESC LIMIT 1
"""
_FAILED = """
SELECT r.task_id, r.id FROM runs r WHERE r.build_id = ? AND r.status = 'failed' ORDER BY r.id
"""
_ROOTS = """
SELECT t.id, coalesce(f.name, '') FROM builds b CROSS JOIN json_each(b.roots) w
CROSS JOIN tasks t ON t.hash = w.value LEFT JOIN families f ON f.id = t.family_id WHERE b.id = ?
"""
_AFTER = with_standing("""
SELECT w.value, coalesce(
  (SELECT r.id FROM runs r WHERE r.task_id = w.value AND r.build_id = b.id AND r.status <> 'running'
    ORDER BY r.id DESC LIMIT 1),
  (SELECT r.id FROM runs r WHERE r.task_id = w.value AND r.ended_at <= coalesce(b.ended_at, b.started_at)
    AND r.status IN STANDING
    ORDER BY r.ended_at DESC, r.id DESC LIMIT 1))
FROM json_each(?) w CROSS JOIN builds b WHERE b.id = ?
""")


def diff_between(refs: References, a: Any, b: Any) -> Diff:
    """Compare two tasks, runs or builds.

    Raises:
        TaskNotFound, AmbiguousHash: for what is named.
        ValueError: a build, and something else.
    """
    one, other = _build(refs, a), _build(refs, b)
    name_a, name_b = _name(refs, a), _name(refs, b)
    if one is not None and other is not None:
        pairs = _pairs_of_builds(refs.session, one, other)
    elif one is None and other is None:
        pairs = [(_node(refs, a), _node(refs, b))]
    else:
        message = (
            f"{name_a!r} and {name_b!r}: one is a build, the other is not. Give two of one kind."
        )
        raise ValueError(message)
    return diff_of(refs.session, pairs, name_a, name_b)


def diff_before(refs: References, what: Any) -> Diff:
    """Compare a run, a task's current run or a build with the one before it.

    Raises:
        TaskNotFound, AmbiguousHash: for what is named; or there is none before it.
    """
    session = refs.session
    build = _build(refs, what)
    if build is not None:
        found = session.row(_BUILD_BEFORE, (build,))
        if found is None:
            _none_before(refs, what, "build of the same tasks")
        return diff_of(
            session, _pairs_of_builds(session, found[0], build), found[1], _name(refs, what)
        )
    task, run = _node(refs, what)
    found = None if run is None else session.row(_RUN_BEFORE, (run,))
    if found is None:
        _none_before(refs, what, "run that stood for the task")
    ((uuid,),) = session.rows("SELECT uuid FROM runs WHERE id = ?", (found[0],))
    return diff_of(session, [((task, found[0]), (task, run))], uuid, _name(refs, what))


def _none_before(refs: References, what: Any, kind: str) -> NoReturn:
    name = _name(refs, what)
    message = f"No {kind} is recorded before {name!r}. Name what to compare it with."
    raise TaskNotFound(message, ref=name, path=refs.session.path)


def _name(refs: References, what: Any) -> str:
    if isinstance(what, Run):
        return what.run_id
    return what.build_id if isinstance(what, Build) else refs.text(what)


def _build(refs: References, what: Any) -> int | None:
    """Identify a build; a beginning that could be a task's means the task."""
    if isinstance(what, Run):
        return None
    name = _name(refs, what)
    if not isinstance(what, Build) and "-" not in name and _is_task(refs, name):
        return None
    return build_number(refs.session, name)


def _is_task(refs: References, name: str) -> bool:
    return refs.task_by_hash(name) is not None or refs.target(name) is not None


def _node(refs: References, what: Any) -> NodeKey:
    name = _name(refs, what)
    run = run_number(refs.session, name)
    if run is not None:
        ((task,),) = refs.session.rows("SELECT task_id FROM runs WHERE id = ?", (run,))
        return task, run
    if isinstance(what, Run):
        refs.no_such("run", name)
    task = refs.task(what)
    ((run,),) = refs.session.rows(
        "SELECT coalesce(current_run_id, last_run_id) FROM tasks WHERE id = ?", (task,)
    )
    return task, run


def _pairs_of_builds(session: Session, a: int, b: int) -> list[Pair]:
    """Pair what both asked for, and what failed in one of them, as it was after each build.

    A root of the one that is none of the other is compared with the only one of its family there.
    """
    roots: list[dict[int, str]] = [dict(session.rows(_ROOTS, (build,))) for build in (a, b)]
    failed = [task for build in (a, b) for task, _ in session.rows(_FAILED, (build,))]
    tasks = [(task, task) for task in (*(roots[0].keys() & roots[1].keys()), *failed)]
    for task in sorted(roots[0].keys() - roots[1].keys()):
        kin = [each for each, family in roots[1].items() if family == roots[0][task]]
        if len(kin) == 1:
            tasks.append((task, kin[0]))
    after: list[dict[int, int | None]] = [
        dict(session.rows(_AFTER, (json.dumps([pair[side] for pair in tasks]), build)))
        for side, build in ((0, a), (1, b))
    ]
    return [((one, after[0][one]), (other, after[1][other])) for one, other in tasks]
