from __future__ import annotations

import datetime
import enum
from pathlib import Path

import luigi
import pytest

from superluigi.cli.errors import ExitCode, WrongArguments
from superluigi.cli.parameter_forms import expected
from superluigi.cli.task_arguments import made_task, parse_arguments


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Everything(luigi.Task):
    text = luigi.StrParameter(default="")
    count_of_rows = luigi.IntParameter(default=1)
    ratio = luigi.FloatParameter(default=0.5)
    flag = luigi.BoolParameter()
    on = luigi.BoolParameter(default=True, parsing=luigi.BoolParameter.EXPLICIT_PARSING)
    maybe = luigi.OptionalIntParameter(default=None)
    day = luigi.DateParameter(default=datetime.date(2026, 1, 1))
    hour = luigi.DateHourParameter(default=datetime.datetime(2026, 1, 1, 5))
    span = luigi.TimeDeltaParameter(default=datetime.timedelta(days=1))
    colour = luigi.EnumParameter(enum=Colour, default=Colour.RED)
    size = luigi.ChoiceParameter(choices=["s", "m"], default="s")
    items = luigi.ListParameter(default=())
    table = luigi.DictParameter(default={})
    place = luigi.PathParameter(default=Path("x"))
    level = luigi.NumericalParameter(var_type=int, min_value=0, max_value=9, default=1)
    secret = luigi.StrParameter(default="", visibility=luigi.parameter.ParameterVisibility.PRIVATE)
    pin = luigi.IntParameter(default=0, visibility=luigi.parameter.ParameterVisibility.PRIVATE)


class Demanding(luigi.Task):
    first = luigi.StrParameter()
    second = luigi.IntParameter()
    third = luigi.IntParameter(default=3)


def _values(*tokens):
    return parse_arguments(Everything, tokens).values


@pytest.mark.parametrize(
    ("tokens", "values"),
    [
        ([], {}),
        (["--text", "a b"], {"text": "a b"}),
        (["--text="], {"text": ""}),
        (["--text=--x=y"], {"text": "--x=y"}),
        (["--text", "-x"], {"text": "-x"}),
        (["--count-of-rows", "-5"], {"count_of_rows": -5}),
        (["--count_of_rows=7"], {"count_of_rows": 7}),
        (["--count-of_rows=7", "--count_of-rows=8"], {"count_of_rows": 8}),
        (["--flag"], {"flag": True}),
        (["--flag", "--on"], {"flag": True, "on": True}),
        (["--flag", "false"], {"flag": False}),
        (["--flag=TRUE"], {"flag": True}),
        (["--no-flag"], {"flag": False}),
        (["--no_on", "--text", "x"], {"on": False, "text": "x"}),
        (["--on", "false"], {"on": False}),
        (["--maybe", ""], {"maybe": None}),
        (["--day", "2026-02-03"], {"day": datetime.date(2026, 2, 3)}),
        (["--items", "[1, 2]"], {"items": (1, 2)}),
        (["--colour", "BLUE"], {"colour": Colour.BLUE}),
        (["--level", "8"], {"level": 8}),
    ],
)
def test_values_are_parsed_by_their_parameters(tokens, values):
    assert _values(*tokens) == values
    assert made_task(Everything, values).param_kwargs.items() >= values.items()


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (["--txt", "x"], "Everything has no parameter --txt. Did you mean --text"),
        (["--count_of_row", "1"], "Did you mean --count-of-rows"),
        (["--nope-nope-nope"], "There are --colour, --count-of-rows, --day,"),
        (["x"], "'x' stands alone"),
        (["--flag", "true", "x"], "'x' stands alone"),
        (["-x", "1"], "'-x' stands alone"),
        (["--"], "'--' stands alone"),
        (["--text"], "--text needs a value: text."),
        (["--text", "--flag"], "is written --text=--flag"),
        (["--no-flag=1"], "--no-flag takes no value"),
        (["--no-text"], "only flags can be denied; text takes text"),
        (["--flag", "yes"], "--flag: 'yes' is not true or false"),
        (["--count-of-rows", "many"], "--count-of-rows: 'many' is not a whole number"),
        (["--ratio", "half"], "--ratio: 'half' is not a number"),
        (["--day", "tomorrow"], "--day: 'tomorrow' is not a date like 2026-01-31"),
        (["--hour", "noon"], "--hour: 'noon' is not a time like 2026-01-31T12"),
        (["--span", "soon"], "--span: 'soon' is not a duration such as"),
        (["--colour", "green"], "--colour: 'green' is not one of RED, BLUE"),
        (["--size", "xl"], "--size: 'xl' is not one of m, s"),
        (["--items", "1, 2"], "--items: '1, 2' is not a JSON list such as [1, 2]"),
        (["--table", "[]x"], "--table: '[]x' is not a JSON object"),
        (["--level", "10"], "--level: '10' is not a whole number"),
        (["--maybe", "x"], "--maybe: 'x' is not a whole number, or nothing"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_expected(tokens, message):
    with pytest.raises(WrongArguments) as caught:
        _values(*tokens)
    assert message in caught.value.message
    assert caught.value.exit_code == ExitCode.USAGE


def test_our_own_options_behind_the_task_are_told_where_they_belong():
    with pytest.raises(WrongArguments, match="stand before the task's name: --force …"):
        parse_arguments(Everything, ["--force"], own_options=["--force"])


def test_private_values_are_neither_shown_nor_repeated():
    arguments = parse_arguments(Everything, ["--secret", "abc", "--pin=1", "--text", "x"])
    assert arguments.values == {"secret": "abc", "pin": 1, "text": "x"}
    assert arguments.shown == ["--secret", "***", "--pin=***", "--text", "x"]
    with pytest.raises(WrongArguments) as caught:
        parse_arguments(Everything, ["--pin", "hunter2"])
    assert "hunter2" not in caught.value.message
    assert "--pin: the value is not a whole number" in caught.value.message


def test_all_missing_parameters_are_named():
    with pytest.raises(
        WrongArguments, match=r"needs --first \(text\), --second \(a whole number\)\."
    ):
        made_task(Demanding, {})


def test_every_parameter_says_what_it_takes():
    forms = {name: expected(parameter) for name, parameter in Everything.get_params()}
    assert forms["place"] == "a path"
    assert forms["table"] == 'a JSON object such as {"a": 1}'
    assert not any("parses" in form for form in forms.values())

    class Own(luigi.Parameter):
        pass

    assert expected(Own()) == "text that Own parses"


def test_help_behind_the_task_lists_its_parameters(project):
    result = project.call("run", "flows.Total", "--help")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert result.stdout.startswith("Usage: superluigi run [OPTIONS] flows.Total [--param value …]")
    assert "Add them up." in result.stdout
    lines = {
        line.split()[0]: line for line in result.stdout.splitlines() if line.startswith("  --")
    }
    assert "A whole number.  [default: 3]" in lines["--n"]
    assert "--force / --no-force" in lines["--force"]
    assert "never recorded" in lines["--password"]
    described = project.call("plan", "flows.Numbers", "-h").stdout
    assert "how many  [default: 3]" in described
    assert "[required]" in project.call("run", "flows.Label", "--help").stdout


def test_help_is_also_given_where_a_value_is_missing_or_wrong(project):
    assert project.call("run", "flows.Label", "--help").exit_code == 0


def test_a_default_that_its_parameter_cannot_hold_is_told_in_one_line(project):
    project.write(
        "spoilt",
        "import luigi\nclass Spoilt(luigi.Task):\n    span = luigi.TimeDeltaParameter(default=3)\n",
    )
    done = project.start("run", "spoilt.Spoilt")
    assert done.returncode == ExitCode.USAGE
    assert "Error: Spoilt cannot be made of these parameters (AttributeError" in done.stderr
    assert "Traceback" not in done.stderr
