"""The table of keys in the README is the registry of actions."""

from __future__ import annotations

import re
from pathlib import Path

from superluigi_tui.actions import ACTIONS, shown_key
from superluigi_tui.config import load_config
from superluigi_tui.rerun_request import MODES
from superluigi_tui.routes import SCREENS, TABS
from superluigi_tui.task_filter import SORTS

README = Path(__file__).parents[2] / "tui" / "README.md"


def key_table() -> str:
    """As it is to stand in the README."""
    return "\n".join(
        "| `{}` | `{}` | {} | {} |".format(
            action.id,
            "` `".join(map(shown_key, action.key.split(","))),
            action.help,
            ", ".join(action.screens) or "everywhere",
        )
        for action in ACTIONS
    )


def test_every_key_is_in_the_readme() -> None:
    assert key_table() in README.read_text(encoding="utf-8"), f"put this there:\n{key_table()}"


def test_every_address_tab_and_order_is_in_the_readme() -> None:
    text = README.read_text(encoding="utf-8")
    assert [name for name in (*SCREENS, *TABS, *SORTS) if f"`{name}" not in text] == []
    assert f"`1` to `{len(MODES)}`" in text


def test_the_configuration_in_the_readme_can_be_used(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    path = tmp_path / "tui.toml"
    path.write_text(block)
    assert load_config(path).keymap == {"rerun": "ctrl+e", "quit": "Q"}
