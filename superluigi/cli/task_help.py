"""What `superluigi run MODULE.Task --help` says: the task's parameters."""

from __future__ import annotations

import inspect

import click
import luigi

from superluigi.cli.parameter_forms import expected, is_flag, is_private, option_name

__all__ = ["task_help"]

_WIDTH = 100


def task_help(cls: type[luigi.Task], command_path: str) -> str:
    """Usage, the class's own words, and its parameters with what they take, defaults, descriptions."""
    formatter = click.HelpFormatter(width=_WIDTH)
    task = f"{cls.__module__}.{cls.__name__}"
    formatter.write_usage(command_path, f"[OPTIONS] {task} [--param value …]")
    words = cls.__dict__.get("__doc__")
    if words:
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write(inspect.cleandoc(words).partition("\n\n")[0] + "\n")
    parameters = cls.get_params()
    with formatter.section(f"Parameters of {cls.get_task_family()}"):
        if parameters:
            formatter.write_dl([_row(cls, name, parameter) for name, parameter in parameters])
        else:
            formatter.write_text("none")
    formatter.write_paragraph()
    formatter.write_text(
        f"Options of superluigi itself stand before the task: {command_path} --help"
    )
    return formatter.getvalue().rstrip()


def _row(cls: type[luigi.Task], name: str, parameter: luigi.Parameter) -> tuple[str, str]:
    option = option_name(name)
    if is_flag(parameter):
        option = f"{option} / {option_name('no_' + name)}"
    notes = [_default(cls, name, parameter)]
    if not parameter.significant:
        notes.append("not part of the task's identity")
    if is_private(parameter):
        notes.append("never recorded")
    # Luigi adds the choices, in an order that changes from run to run.
    words = " ".join((parameter.description or "").partition("Choices: {")[0].split())
    form = expected(parameter)
    text = f"{form[0].upper()}{form[1:]}. {words}".rstrip()
    return option, f"{text}  [{'; '.join(note for note in notes if note)}]"


def _default(cls: type[luigi.Task], name: str, parameter: luigi.Parameter) -> str:
    family = cls.get_task_family()
    try:
        if not parameter.has_task_value(family, name):
            return "required"
        if is_private(parameter):
            return "has a default"
        return f"default: {parameter.serialize(parameter.task_value(family, name))}"
    except Exception:
        return "its default cannot be read"
