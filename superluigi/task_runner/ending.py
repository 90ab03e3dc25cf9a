"""The result of a build, from what became of its tasks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import luigi

from superluigi.errors import TaskFailed
from superluigi.execution.tracebacks import user_traceback
from superluigi.planning.decision import Decision, Reason
from superluigi.running.build import Build
from superluigi.running.entries import Failure
from superluigi.task_runner.result import BuildResult
from superluigi.task_runner.summary import headline

__all__ = ["ended_result", "failure_cause", "failure_message", "unplanned_result"]


def ended_result(build: Build, *, outputs: Callable[[], Any], duration_s: float) -> BuildResult:
    """What became of a build whose worker has ended.

    Args:
        outputs: Gives the outputs of what was asked for; asked when all is well.
    """
    outcome = build.agenda.outcome
    build.agenda.leave_unasked()
    _block_what_did_not_end(build)
    blocked = [h for h, d in build.agenda.decisions.items() if d.action == "blocked"]
    anew = set(outcome.unchanged)
    skipped = [h for h, d in build.agenda.decisions.items() if d.action == "skip" and h not in anew]
    decided = build.agenda.decisions
    ok = not (outcome.failed or blocked)
    return BuildResult(
        build_id=build.build_id,
        ok=ok,
        ran=tuple(decided[h] for h in outcome.ran),
        skipped=tuple(decided[h] for h in skipped),
        unchanged=tuple(decided[h] for h in outcome.unchanged),
        shared=tuple(decided[h] for h in outcome.shared),
        failed=tuple(decided[h] for h in outcome.failed),
        blocked=tuple(decided[h] for h in blocked),
        outputs=outputs() if ok else None,
        decisions=tuple(decided.values()),
        duration_s=duration_s,
        failures=tuple(outcome.failures),
    )


def unplanned_result(
    task: luigi.Task, error: Exception, *, build_id: str, duration_s: float
) -> BuildResult:
    """The result when the graph could not be asked: a task's own code raised before anything ran."""
    family = task.get_task_family()
    decision = Decision(
        "", family, {}, "blocked", (Reason("failed", f"asking it raised {error!r}"),)
    )
    failure = Failure(
        task_hash="",
        family=family,
        params={},
        run_id=None,
        error_type=type(error).__name__,
        error=str(error),
        traceback=user_traceback(error, error.__traceback__),
        exception=error,
    )
    return BuildResult(
        build_id=build_id,
        ok=False,
        ran=(),
        skipped=(),
        unchanged=(),
        shared=(),
        failed=(decision,),
        blocked=(),
        outputs=None,
        decisions=(decision,),
        duration_s=duration_s,
        failures=(failure,),
    )


def failure_message(result: BuildResult) -> str:
    """The text of `BuildFailed`: what failed and why, and the first traceback."""
    lines = [headline(result)]
    lines += [f"{failure.label}: {failure.told}" for failure in result.failures]
    lines += [f"{d.label}: {d.reasons[0].text}" for d in result.blocked]
    if result.failures and result.failures[0].exception is None:
        lines += ["", result.failures[0].traceback.rstrip()]
    return "\n".join(lines)


def failure_cause(result: BuildResult) -> TaskFailed | None:
    """The first failure as an exception, with the user's own behind it where it was raised here."""
    if not result.failures:
        return None
    first = result.failures[0]
    message = f"{first.label} raised {first.error_type}"
    failed = TaskFailed(message, task_hash=first.task_hash, family=first.family)
    failed.__cause__ = first.exception
    return failed


def _block_what_did_not_end(build: Build) -> None:
    """Say of everything that waited in vain what it waited for; wrappers of it are incomplete too."""
    failed = set(build.agenda.outcome.failed)
    not_ended = set(build.not_ended())
    for task_hash, verdict in build.agenda.verdicts.items():
        waits = verdict.task.is_wrapper and any(
            upstream.task_hash in failed
            or build.agenda.decisions[upstream.task_hash].action == "blocked"
            for _, upstream in verdict.task.upstream
        )
        if task_hash in not_ended or waits:
            build.agenda.decisions[task_hash] = _blocked(build, task_hash, failed)


def _blocked(build: Build, task_hash: str, failed: set[str]) -> Decision:
    """Why something that was to run did not."""
    verdict = build.agenda.verdicts[task_hash]
    decision = build.agenda.decisions[task_hash]
    causes = [
        upstream
        for _, upstream in (*verdict.task.upstream, *verdict.task.expected)
        if upstream.task_hash in failed
        or build.agenda.decisions[upstream.task_hash].action == "blocked"
    ]
    if causes:
        cause = causes[0]
        reason = Reason(
            "upstream_blocked",
            f"{cause.family} {cause.task_hash[:8]} failed or was not run",
            {"upstream": cause.task_hash},
        )
    else:
        reason = Reason("not_run", "the scheduler never handed it out")
    return replace(decision, action="blocked", reasons=(reason, *decision.reasons))
