"""What a parameter takes, in words."""

from __future__ import annotations

import datetime
from typing import Any

import luigi
from luigi.parameter import OptionalParameterMixin, ParameterVisibility
from luigi.parameter import _DateParameterBase as DateLike
from luigi.parameter import _DatetimeParameterBase as DatetimeLike

__all__ = ["expected", "is_flag", "is_private", "option_name"]

_MOMENT = datetime.datetime(2026, 1, 31, 12, 30)

_FORMS: tuple[tuple[type[luigi.Parameter[Any]], str], ...] = (
    (luigi.BoolParameter, "true or false"),
    (luigi.IntParameter, "a whole number"),
    (luigi.FloatParameter, "a number"),
    (luigi.TimeDeltaParameter, "a duration such as '2 days', '3h 30m' or P1DT2H"),
    (luigi.DateIntervalParameter, "dates such as 2026, 2026-01, 2026-W05 or 2026-01-01-2026-01-31"),
    (luigi.DictParameter, 'a JSON object such as {"a": 1}'),
    (luigi.TupleParameter, "a tuple such as (1, 2)"),
    (luigi.ListParameter, "a JSON list such as [1, 2]"),
    (luigi.TaskParameter, "the family of a task"),
    (luigi.PathParameter, "a path"),
)


def expected(parameter: luigi.Parameter) -> str:
    """What text a parameter parses: "a whole number"."""
    form = _form(parameter)
    return f"{form}, or nothing" if isinstance(parameter, OptionalParameterMixin) else form


def is_flag(parameter: luigi.Parameter) -> bool:
    """Whether it may stand without a value."""
    return isinstance(parameter, luigi.BoolParameter)


def is_private(parameter: luigi.Parameter) -> bool:
    """Whether its values may not be shown."""
    return bool(parameter.visibility == ParameterVisibility.PRIVATE)


def option_name(name: str) -> str:
    """How a parameter is written on the command line."""
    return "--" + name.replace("_", "-")


def _form(parameter: Any) -> str:
    if isinstance(parameter, luigi.ChoiceListParameter):
        return f"some of {_choices(parameter)}, with commas between them"
    if isinstance(parameter, luigi.ChoiceParameter):
        return f"one of {_choices(parameter)}"
    if isinstance(parameter, luigi.EnumParameter):
        return f"one of {_members(parameter)}"
    if isinstance(parameter, luigi.EnumListParameter):
        return f"some of {_members(parameter)}, with commas between them"
    if isinstance(parameter, luigi.NumericalParameter):
        return "a whole number" if parameter._var_type is int else "a number"
    if isinstance(parameter, DateLike):
        return f"a date like {_MOMENT.strftime(parameter.date_format)}"
    if isinstance(parameter, DatetimeLike):
        return f"a time like {_MOMENT.strftime(parameter.date_format)}"
    for kind, form in _FORMS:
        if isinstance(parameter, kind):
            return form
    own = type(parameter).__name__
    is_text = own in ("Parameter", "StrParameter", "OptionalParameter", "OptionalStrParameter")
    return "text" if is_text else f"text that {own} parses"


def _choices(parameter: Any) -> str:
    return ", ".join(sorted(str(choice) for choice in parameter._choices))


def _members(parameter: Any) -> str:
    return ", ".join(parameter._enum.__members__)
