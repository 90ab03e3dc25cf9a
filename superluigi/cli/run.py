"""`superluigi run`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from superluigi.cli.decision_options import (
    AskedTask,
    DecisionOptions,
    about_a_task,
    asked_task,
    decision_options,
)
from superluigi.cli.errors import ExitCode, task_code, task_frames
from superluigi.cli.output import emit, emit_json, narrating, tell, tell_block
from superluigi.cli.termination import terminated_as_interrupted

if TYPE_CHECKING:
    from superluigi.task_runner import BuildResult

__all__ = ["command"]


@click.command(
    "run",
    options_metavar="[OPTIONS]",
    context_settings={"allow_interspersed_args": False},
)
@decision_options
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="N",
    default=1,
    help="How many tasks run at once.",
)
@click.option("--central-scheduler", is_flag=True, help="Let luigid hand out the tasks.")
@click.option("--scheduler-url", metavar="URL", help="Where luigid is.")
@click.option(
    "--retries",
    type=click.IntRange(min=0),
    metavar="N",
    default=0,
    help="How often a failing task runs again.",
)
@click.option("--resume", is_flag=True, help="Go on with the last build, if it did not end.")
@click.option("--pdb", "post_mortem", is_flag=True, help="Open a debugger where a task raises.")
@click.option(
    "--raise-exception", is_flag=True, help="Stop at the first exception, in this process."
)
@click.option("--dry-run", is_flag=True, help="Run nothing: the same as plan.")
@click.option(
    "--local-output", is_flag=True, help="Print local paths: remote outputs are downloaded."
)
@click.option("--force-local-download", is_flag=True, help="Download remote inputs again.")
@click.option("--quiet", is_flag=True, help="No progress and no summary.")
@about_a_task
def command(
    ctx: click.Context,
    /,
    task: str,
    arguments: tuple[str, ...],
    decision: DecisionOptions,
    **options: Any,
) -> int:
    """Make a task's output, and whatever it needs.

    Options stand before the task, its parameters behind it. The paths of the outputs are printed, one a
    line. `superluigi run MODULE.Task --help` lists the task's parameters.
    """
    _check(options)
    if options["dry_run"]:
        from superluigi.cli.plan import show_plan

        return show_plan(
            ctx,
            task,
            arguments,
            decision,
            resume=options["resume"],
            as_json=options["as_json"],
        )
    with (
        terminated_as_interrupted(),
        narrating(),
        asked_task(ctx, task, arguments, decision) as asked,
    ):
        result = _built(asked, options)
    if options["as_json"]:
        emit_json(result.to_dict())
    elif result.ok:
        for path in _paths(result.outputs):
            emit(path)
    return ExitCode.OK if result.ok else ExitCode.FAILED


def _check(options: dict[str, Any]) -> None:
    in_process = "--pdb" if options["post_mortem"] else "--raise-exception"
    if options["workers"] > 1 and (options["post_mortem"] or options["raise_exception"]):
        message = f"{in_process} runs every task in this process; leave --workers out."
        raise click.UsageError(message)


def _built(asked: AskedTask, options: dict[str, Any]) -> BuildResult:
    from superluigi.errors import BuildFailed
    from superluigi.task_runner import run_task

    with task_code("A task"):
        try:
            return run_task(
                asked.wanted,
                **asked.arguments,
                num_workers=options["workers"],
                central_scheduler=options["central_scheduler"],
                scheduler_url=options["scheduler_url"],
                retries=options["retries"],
                resume=options["resume"],
                raise_exception=options["raise_exception"] or options["post_mortem"],
                local_output=options["local_output"],
                force_local_download=options["force_local_download"],
                progress=False if options["quiet"] else None,
            )
        except BuildFailed as error:
            _explain(error, was_quiet=options["quiet"])
            return error.result
        except Exception as error:
            if options["post_mortem"]:
                _debug(error)
            raise


def _explain(error: Any, *, was_quiet: bool) -> None:
    """Say what the progress did not: it is silent when asked, and not there while planning."""
    was_planned = all(decision.task_hash for decision in error.result.decisions)
    if was_quiet or not was_planned:
        tracebacks = [failure.traceback.rstrip() for failure in error.failures]
        tell_block("\n".join([*tracebacks, f"Error: {error}"]))


def _debug(error: Exception) -> None:
    """Open a post-mortem in the user's last frame."""
    import pdb

    frames = task_frames(error)
    if frames is None:
        return
    tell(f"{type(error).__name__}: {error}")
    tell("The debugger is where it was raised; q ends it.")
    pdb.post_mortem(frames)


def _paths(outputs: Any) -> Iterator[str]:
    """Every path in the shape of an `output()`, in order."""
    if outputs is None:
        return
    if isinstance(outputs, dict):
        outputs = outputs.values()
    elif isinstance(outputs, str):
        yield outputs
        return
    for each in outputs:
        yield from _paths(each)
