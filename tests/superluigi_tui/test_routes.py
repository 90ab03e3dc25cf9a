from __future__ import annotations

import pytest

from superluigi_tui.routes import BadRoute, Route


@pytest.mark.parametrize(
    "text",
    [
        "home",
        "tasks",
        "tasks/c2d1e8a7",
        "tasks/c2d1e8a7/runs",
        "lineage/c2d1?direction=downstream",
        "builds",
        "builds/0199-ab",
        "tasks?q=features+eu&status=stale",
        "tasks/s3://b/data/x.csv",
    ],
)
def test_an_address_is_written_as_it_was_read(text: str) -> None:
    assert str(Route.parse(text)) == text


def test_a_name_that_cannot_be_encoded_has_an_address_too() -> None:
    route = Route("tasks", "data/x\udc80", options={"q": "y\udc81"})
    assert str(route).isascii()
    assert Route.parse(str(route)) == route


def test_an_address_may_be_short() -> None:
    assert Route.parse("") == Route("home")
    assert Route.parse("runs/1") == Route("builds", "1")
    assert Route.parse("tasks/c2d1/why") == Route("tasks", "c2d1", "overview")


def test_a_path_keeps_its_last_part() -> None:
    assert Route.parse("tasks/data/runs.csv").ref == "data/runs.csv"
    assert Route.parse("tasks/runs").ref == "runs"


@pytest.mark.parametrize("text", ["nowhere", "tasks?colour=red", "builds?q=x"])
def test_what_is_no_address_is_answered_with_what_there_is(text: str) -> None:
    with pytest.raises(BadRoute, match=r"There are|Give one of|There is no|none"):
        Route.parse(text)
