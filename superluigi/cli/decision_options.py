"""The options that `run` and `plan` share, and the task that they are about."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from superluigi.cli.errors import HelpAsked
from superluigi.settings import TRIGGERS, VERIFY_MODES

if TYPE_CHECKING:
    import luigi

__all__ = ["AskedTask", "DecisionOptions", "about_a_task", "asked_task", "decision_options"]


@dataclass(frozen=True)
class DecisionOptions:
    """What decides which tasks run."""

    force: bool = False
    force_upstream: bool = False
    force_upstream_to: tuple[str, ...] = ()
    force_readers_of: tuple[str, ...] = ()
    rerun_on: frozenset[str] | None = None
    verify: str | None = None
    offline: bool = False
    config_file: str | None = None
    also: tuple[str, ...] = ()
    """References of recorded tasks that are asked for as well."""

    def __post_init__(self) -> None:
        given = [
            "--" + name.replace("_", "-")
            for name in ("force", "force_upstream", "force_upstream_to", "force_readers_of")
            if getattr(self, name)
        ]
        if len(given) > 1:
            message = f"{' and '.join(given)} contradict each other. Give one of them."
            raise click.UsageError(message)


@dataclass(frozen=True)
class AskedTask:
    """A task of the command line, and recorded ones that are wanted with it."""

    task: luigi.Task
    arguments: dict[str, Any]
    """The decision arguments, as `run_task` and `plan_task` take them."""
    also: tuple[luigi.Task, ...] = ()

    @property
    def wanted(self) -> Any:
        """What `run_task` and `plan_task` are asked for: a task, or several."""
        return [self.task, *self.also] if self.also else self.task


def about_a_task(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a command take `--json`, and behind its options a task and the task's own parameters."""
    for decorator in (
        click.pass_context,
        click.argument("arguments", metavar="[--param value …]", nargs=-1, type=click.UNPROCESSED),
        click.argument("task", metavar="MODULE.Task"),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON document."),
    ):
        function = decorator(function)
    return function


def decision_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command, which gets them as `decision: DecisionOptions`."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        names = DecisionOptions.__dataclass_fields__
        chosen = {name: kwargs.pop(name) for name in names}
        return function(*args, decision=DecisionOptions(**chosen), **kwargs)

    for option in reversed(_OPTIONS):
        option(wrapped)
    return wrapped


@contextmanager
def asked_task(
    ctx: click.Context, ref: str, tokens: Sequence[str], decision: DecisionOptions
) -> Iterator[AskedTask]:
    """Make the task; while inside, Luigi's configuration has the file's values.

    Raises:
        WrongArguments, NotFound, TaskCodeFailed, SettingsError: see `task_class` and `parse_arguments`.
        HelpAsked: `--help` is among the tokens.
    """
    from superluigi.cli.task_arguments import made_task, parse_arguments
    from superluigi.cli.task_help import task_help
    from superluigi.cli.task_reference import task_class
    from superluigi.project import find_project
    from superluigi.project_params import use_params
    from superluigi.settings import load_settings
    from superluigi.task_runner.session import luigi_config

    settings = load_settings(find_project().root)
    cls = task_class(ref)
    use_params(settings.params)
    with luigi_config(None, decision.config_file):
        own_options = [name for parameter in ctx.command.params for name in parameter.opts]
        arguments = parse_arguments(cls, tokens, own_options=own_options)
        if arguments.wants_help:
            raise HelpAsked(task_help(cls, ctx.command_path))
        task = made_task(cls, arguments.values)
        chosen: dict[str, Any] = {
            name: getattr(decision, name)
            for name in ("force", "force_upstream", "rerun_on", "verify", "offline", "config_file")
        }
        if decision.force_upstream_to:
            chosen["force_upstream_to_task"] = decision.force_upstream_to
        if decision.force_readers_of:
            chosen["force_readers_of"] = decision.force_readers_of
        with _recorded_arguments(tokens, arguments.shown):
            yield AskedTask(task, chosen, tuple(map(_recorded, decision.also)))


def _recorded(ref: str) -> luigi.Task:
    """Make a recorded task again.

    Raises:
        NotFound: it cannot be made; the message says why.
        TaskCodeFailed: its module raised.
    """
    from superluigi.cli.errors import NotFound
    from superluigi.cli.recorded_tasks import made_again
    from superluigi_catalog import Catalog

    with Catalog(read_only=True) as catalog:
        found = catalog.task(ref)
        task, trouble = made_again(catalog, found.task_hash, found.family)
    if task is None:
        message = f"--also {ref}: {trouble}"
        raise NotFound(message)
    return task


def _triggers(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> frozenset[str] | None:
    if value is None:
        return None
    names = frozenset(name.strip() for name in value.split(",") if name.strip())
    unknown = sorted(names - TRIGGERS)
    if unknown or not names:
        message = f"{unknown[0] if unknown else value!r} is no trigger. There are {', '.join(sorted(TRIGGERS))}."
        raise click.BadParameter(message, ctx, param)
    return names


@contextmanager
def _recorded_arguments(tokens: Sequence[str], shown: Sequence[str]) -> Iterator[None]:
    """Keep the values of PRIVATE parameters out of `sys.argv`, which is recorded with the build."""
    before = sys.argv
    if tokens and sys.argv[-len(tokens) :] == list(tokens):
        sys.argv = [*sys.argv[: -len(tokens)], *shown]
    try:
        yield
    finally:
        sys.argv = before


_OPTIONS = (
    click.option("--force", is_flag=True, help="Run the task itself although it is fresh."),
    click.option(
        "--force-upstream", is_flag=True, help="Run everything that it depends on as well."
    ),
    click.option(
        "--force-upstream-to",
        metavar="X",
        multiple=True,
        help="Run X and all between it and the task. X: a family, a class's name, MODULE.Class, or the "
        "beginning of a task hash. May be given several times.",
    ),
    click.option(
        "--force-readers-of",
        metavar="PATH",
        multiple=True,
        help="Run what reads this target: a path or URI. May be given several times.",
    ),
    click.option(
        "--rerun-on",
        metavar="LIST",
        callback=_triggers,
        help=f"What makes a task run again, instead of what the settings say: of {', '.join(sorted(TRIGGERS))}, "
        "with commas between.",
    ),
    click.option(
        "--verify",
        type=click.Choice(VERIFY_MODES),
        help="How targets are checked: by size and times, by content, or by recent records.",
    ),
    click.option(
        "--offline",
        is_flag=True,
        help="Make no request to S3: records and local copies have to do.",
    ),
    click.option(
        "--config-file",
        type=click.Path(exists=True, dir_okay=False),
        help="A luigi.cfg for this call.",
    ),
    click.option(
        "--also",
        metavar="REF",
        multiple=True,
        help="Ask for this recorded task too, in the same build: the beginning of its hash, a path or URI. "
        "May be given several times.",
    ),
)
