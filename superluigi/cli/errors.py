"""How a command ends: its exit code, and one message on stderr.

CommandError                    (of click's exceptions) with an exit code and perhaps a traceback
  WrongArguments                a task's parameters are not given as it takes them
  NotFound                      no such task, module or reference
  TaskCodeFailed                a module or a task's own code raised; the traceback begins in it
HelpAsked                       (of click's exceptions) no error: the help of a task, for stdout
"""

from __future__ import annotations

import errno
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from types import TracebackType
from typing import Any, ClassVar

import click

from superluigi.cli.output import emit, tell, tell_block

__all__ = [
    "EXIT_CODES",
    "CommandError",
    "ExitCode",
    "HelpAsked",
    "NotFound",
    "TaskCodeFailed",
    "WrongArguments",
    "ended",
    "task_code",
    "task_frames",
]


class ExitCode(IntEnum):
    """What the exit code of `superluigi` says."""

    OK = 0
    FAILED = 1
    USAGE = 2
    HAS_WORK = 3
    NOT_FOUND = 4
    REFUSED = 5
    INTERRUPTED = 130


EXIT_CODES = {
    ExitCode.OK: "done; for plan: there is nothing to do; for diff: no difference",
    ExitCode.FAILED: "a build, a check or a task's own code failed; for diff: there is one",
    ExitCode.USAGE: "used wrongly: options, parameters, settings",
    ExitCode.HAS_WORK: "plan: there is work to do",
    ExitCode.NOT_FOUND: "no such task, module or reference",
    ExitCode.REFUSED: "the catalog, a store or the scheduler refused",
    ExitCode.INTERRUPTED: "interrupted, by Ctrl-C or, for run, by SIGTERM",
}

_MACHINERY = frozenset(
    {"superluigi", "superluigi_catalog", "luigi", "click", "contextlib", "functools", "importlib"}
    | {"runpy", "multiprocessing", "__main__"}
)
_REFUSALS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT})


class CommandError(click.ClickException):
    """A command cannot do what was asked."""

    exit_code: ClassVar[int] = ExitCode.FAILED

    def __init__(self, message: str, *, traceback: str = "") -> None:
        super().__init__(message)
        self.traceback = traceback


class WrongArguments(CommandError):
    """The parameters of a task are not what it takes."""

    exit_code: ClassVar[int] = ExitCode.USAGE


class NotFound(CommandError):
    """What was named does not exist."""

    exit_code: ClassVar[int] = ExitCode.NOT_FOUND


class TaskCodeFailed(CommandError):
    """Code of the user's raised, outside of a run."""


class HelpAsked(click.ClickException):
    """`--help` stands among a task's parameters."""

    exit_code: ClassVar[int] = ExitCode.OK


def ended(call: Callable[[], Any]) -> int:
    """Do `call`; say on stderr what went wrong.

    What nobody expected is said with its traceback.

    Returns:
        The exit code: what `call` returned where that is a number, else by `EXIT_CODES`.
    """
    try:
        result = call()
    except click.Abort as abort:
        # click makes the same of an EOFError, which can be anybody's.
        if not isinstance(abort.__cause__, KeyboardInterrupt):
            raise
        tell("Interrupted.")
        return ExitCode.INTERRUPTED
    except click.ClickException as error:
        return _told(error)
    except Exception as error:
        code = _code_of(error)
        if code is None:
            tell_block(traceback.format_exc().rstrip())
            return ExitCode.FAILED
        tell(f"Error: {_text(error)}")
        return code
    return result if isinstance(result, int) else ExitCode.OK


@contextmanager
def task_code(doing: str) -> Iterator[None]:
    """Turn what the user's code raises while inside into `TaskCodeFailed`.

    Errors of Super Luigi's own, and those in which no code of the user's took part, pass.

    Args:
        doing: What is being done: "importing flows".
    """
    from superluigi.errors import SuperLuigiError
    from superluigi_catalog.errors import CatalogError

    try:
        yield
    except (SuperLuigiError, CatalogError, click.ClickException, click.exceptions.Exit):
        raise
    except (Exception, SystemExit) as error:
        frames = task_frames(error)
        if frames is None and not isinstance(error, (SyntaxError, SystemExit)):
            raise
        text = "".join(traceback.format_exception(type(error), error, frames))
        said = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
        message = f"{doing} raised {said}"
        raise TaskCodeFailed(message, traceback=text) from error


def task_frames(error: BaseException) -> TracebackType | None:
    """The traceback of an error from the user's first frame to the user's last one.

    Frames of Super Luigi, Luigi and the import system are left out at both ends.

    Returns:
        None where none of the frames is the user's.
    """
    steps = []
    step = error.__traceback__
    while step is not None:
        steps.append(step)
        step = step.tb_next
    own = [index for index, each in enumerate(steps) if not _is_machinery(each)]
    if not own:
        return None
    chain: TracebackType | None = None
    for each in reversed(steps[own[0] : own[-1] + 1]):
        chain = TracebackType(chain, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return chain


def _is_machinery(step: TracebackType) -> bool:
    module = str(step.tb_frame.f_globals.get("__name__", ""))
    return module.partition(".")[0] in _MACHINERY


def _told(error: click.ClickException) -> int:
    if isinstance(error, HelpAsked):
        emit(error.message, multiline=True)
        return ExitCode.OK
    if isinstance(error, CommandError) and error.traceback:
        tell_block(error.traceback.rstrip())
    if isinstance(error, click.UsageError) and error.ctx is not None:
        tell_block(error.ctx.get_usage())
        tell(f"Try '{error.ctx.command_path} --help' for help.")
    tell(f"Error: {error.format_message()}")
    return int(error.exit_code)


def _code_of(error: Exception) -> ExitCode | None:
    """The exit code for an error of ours; None for one that nobody expected."""
    for kinds, code in _codes():
        if isinstance(error, kinds):
            return code
    if isinstance(error, OSError) and error.errno in _REFUSALS:
        return ExitCode.REFUSED
    return None


def _codes() -> tuple[tuple[tuple[type[Exception], ...], ExitCode], ...]:
    """Which errors mean which code; the first that fits counts."""
    from superluigi import errors as core
    from superluigi_catalog import errors as catalog

    missing = (catalog.TaskNotFound, catalog.AmbiguousHash, catalog.CatalogMissing)
    broken = (core.OutputNotWritten, core.InputChanged, core.TargetConflict, core.TargetMissing)
    refused = (core.TargetError, core.SchedulerUnreachable, catalog.CatalogError)
    return (
        ((core.ForceRefused, core.SettingsError), ExitCode.USAGE),
        ((core.TaskNotLoadable, *missing), ExitCode.NOT_FOUND),
        (broken, ExitCode.FAILED),
        (refused, ExitCode.REFUSED),
        ((core.SuperLuigiError,), ExitCode.FAILED),
    )


def _text(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename!r}: {error.strerror}."
    return str(error)
