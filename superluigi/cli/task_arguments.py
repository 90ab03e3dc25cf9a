"""The parameters of a task on the command line: `--name value`, `--name=value`, `--flag`, `--no-flag`.

As on Luigi's own command line, dashes and underscores in names are the same, and the last of several
values counts. A value that begins with two dashes is written `--name=--value`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import click
import luigi

from superluigi.cli.errors import WrongArguments, task_code
from superluigi.cli.parameter_forms import expected, is_flag, is_private, option_name
from superluigi.cli.task_reference import nearest
from superluigi.errors import SuperLuigiError

__all__ = ["HIDDEN", "TaskArguments", "made_task", "parse_arguments"]

HIDDEN = "***"
"""Stands for the value of a PRIVATE parameter."""


@dataclass
class TaskArguments:
    """What the command line says of a task."""

    values: dict[str, Any] = field(default_factory=dict)
    """Parsed, by parameter."""
    shown: list[str] = field(default_factory=list)
    """The arguments as they may be recorded and shown."""
    wants_help: bool = False


def parse_arguments(
    cls: type[luigi.Task], tokens: Sequence[str], *, own_options: Iterable[str] = ()
) -> TaskArguments:
    """Read a task's parameters.

    Args:
        own_options: The command's options, which belong before the task's name.

    Raises:
        WrongArguments: an unknown name, a value that is missing or does not parse.
    """
    return _Parser(cls, tokens, frozenset(own_options)).parsed()


def made_task(cls: type[luigi.Task], values: dict[str, Any]) -> luigi.Task:
    """Make the task; what is not given comes from the configuration and the defaults.

    Raises:
        WrongArguments: naming the parameters that have no value.
        TaskCodeFailed: its own `__init__` raised.
    """
    family = cls.get_task_family()
    missing = [
        f"{option_name(name)} ({expected(parameter)})"
        for name, parameter in cls.get_params()
        if name not in values and not _has_value(cls, name, parameter)
    ]
    if missing:
        raise _wrong(cls, f"{family} needs {', '.join(missing)}.")
    try:
        with task_code(f"Making {family}"):
            return cls(**values)
    except (SuperLuigiError, click.ClickException):
        raise
    except Exception as error:
        # None of the user's code took part: a default that its own parameter cannot hold.
        said = f"{type(error).__name__}: {error}"
        raise _wrong(cls, f"{family} cannot be made of these parameters ({said}).") from error


class _Parser:
    """One pass over the arguments."""

    def __init__(
        self, cls: type[luigi.Task], tokens: Sequence[str], own_options: frozenset[str]
    ) -> None:
        self._cls = cls
        self._parameters = dict(cls.get_params())
        self._tokens = list(tokens)
        self._own_options = own_options
        self._next = 0

    def parsed(self) -> TaskArguments:
        arguments = TaskArguments()
        while (token := self._take()) is not None:
            if token in ("--help", "-h"):
                arguments.wants_help = True
                arguments.shown.append(token)
                continue
            self._read(token, arguments)
        return arguments

    def _read(self, token: str, arguments: TaskArguments) -> None:
        written, has_value, text = token.partition("=")
        if not written.startswith("--") or written == "--":
            message = (
                f"{token!r} stands alone: parameters of {self._family} are written --name value."
            )
            raise _wrong(self._cls, message)
        name, is_negated = self._parameter_named(written)
        parameter = self._parameters[name]
        arguments.shown.append(written)
        if is_negated:
            if has_value:
                raise _wrong(self._cls, f"{written} takes no value.")
            arguments.values[name] = False
            return
        if has_value:
            arguments.shown[-1] = f"{written}={HIDDEN}" if is_private(parameter) else token
        elif is_flag(parameter) and not self._has_value_next():
            arguments.values[name] = True
            return
        else:
            text = self._value_of(written, parameter)
            arguments.shown.append(HIDDEN if is_private(parameter) else text)
        arguments.values[name] = self._value(parameter, written, text)

    def _parameter_named(self, written: str) -> tuple[str, bool]:
        """The parameter, and whether it is denied."""
        name = written.removeprefix("--").replace("-", "_")
        if name in self._parameters:
            return name, False
        denied = name.removeprefix("no_")
        if denied != name and denied in self._parameters:
            if is_flag(self._parameters[denied]):
                return denied, True
            form = expected(self._parameters[denied])
            raise _wrong(self._cls, f"{written}: only flags can be denied; {denied} takes {form}.")
        raise _wrong(self._cls, self._unknown(written))

    def _unknown(self, written: str) -> str:
        message = f"{self._family} has no parameter {written}."
        if written in self._own_options:
            return (
                f"{message} Options of superluigi itself stand before the task's name: "
                f"{written} … {_name(self._cls)}."
            )
        options = [option_name(name) for name in self._parameters]
        wanted = "--" + written.removeprefix("--").replace("_", "-")
        return f"{message} {nearest(wanted, options) or 'It has no parameters.'}"

    def _value_of(self, written: str, parameter: luigi.Parameter) -> str:
        if not self._has_value_next():
            message = f"{written} needs a value: {expected(parameter)}."
            if self._next < len(self._tokens):
                message += (
                    f" One that begins with dashes is written {written}={self._tokens[self._next]}."
                )
            raise _wrong(self._cls, message)
        return self._take() or ""

    def _value(self, parameter: luigi.Parameter, written: str, text: str) -> Any:
        try:
            return parameter.normalize(parameter.parse(text))
        except Exception as error:
            if is_private(parameter):
                message = f"{written}: the value is not {expected(parameter)}."
            else:
                message = f"{written}: {text!r} is not {expected(parameter)} ({error})."
            # What is private may stand in the error's own text: it is not chained.
            raise _wrong(self._cls, message) from None

    def _has_value_next(self) -> bool:
        return self._next < len(self._tokens) and not self._tokens[self._next].startswith("--")

    def _take(self) -> str | None:
        if self._next >= len(self._tokens):
            return None
        self._next += 1
        return self._tokens[self._next - 1]

    @property
    def _family(self) -> str:
        return str(self._cls.get_task_family())


def _has_value(cls: type[luigi.Task], name: str, parameter: luigi.Parameter) -> bool:
    family = cls.get_task_family()
    try:
        return bool(parameter.has_task_value(family, name))
    except Exception as error:
        said = "" if is_private(parameter) else f" ({error})"
        message = (
            f"The configuration's value of {name!r} for {family} is not {expected(parameter)}{said}. "
            f"Correct [{family}] there, or give {option_name(name)}."
        )
        raise _wrong(cls, message) from None


def _wrong(cls: type[luigi.Task], message: str) -> WrongArguments:
    return WrongArguments(f"{message} See: superluigi run {_name(cls)} --help")


def _name(cls: type[luigi.Task]) -> str:
    return f"{cls.__module__}.{cls.__name__}"
