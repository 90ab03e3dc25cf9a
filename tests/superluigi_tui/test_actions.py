from __future__ import annotations

import re
from collections import Counter

import pytest

from superluigi_tui.actions import ACTIONS, actions_of
from superluigi_tui.app import SuperLuigiApp
from superluigi_tui.screens.view import View


def all_screens() -> dict[str, type[View]]:
    import superluigi_tui.navigation as navigation

    return {screen.NAME: screen for screen in navigation.screens()}


SCREENS = all_screens()


def test_every_action_is_named_once() -> None:
    assert [name for name, count in Counter(a.id for a in ACTIONS).items() if count > 1] == []


@pytest.mark.parametrize("name", SCREENS)
def test_no_key_means_two_things_on_a_screen(name: str) -> None:
    keys = Counter(key for action in actions_of(name) for key in action.key.split(","))
    assert [key for key, count in keys.items() if count > 1] == []


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_can_do_what_the_registry_says(name: str) -> None:
    for action in actions_of(name):
        method = re.sub(r"\(.*", "", action.action)
        owner = SuperLuigiApp if method.startswith("app.") else SCREENS[name]
        assert hasattr(owner, f"action_{method.removeprefix('app.')}"), (name, action.id)


@pytest.mark.parametrize("name", SCREENS)
def test_the_footer_names_what_there_is(name: str) -> None:
    here = {action.id for action in actions_of(name)}
    shown = {each for entry in SCREENS[name].FOOTER for each in entry.partition("=")[0].split("+")}
    assert shown <= here


def test_every_screen_of_the_registry_is_there() -> None:
    named = {name for action in ACTIONS for name in action.screens}
    assert named == set(SCREENS)
