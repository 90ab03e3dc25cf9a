from __future__ import annotations

from pathlib import Path

import pytest

from superluigi_tui.config import BadConfig, Config, load_config


def written(folder: Path, text: str) -> Path:
    path = folder / "tui.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_file_all_is_as_it_comes(tmp_path: Path) -> None:
    assert load_config(tmp_path / "none.toml") == Config()


def test_the_file_is_looked_for_where_the_user_keeps_such_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "superluigi").mkdir()
    written(tmp_path / "superluigi", 'glyphs = "ascii"\n[keymap]\nrerun = "ctrl+r"\n')
    assert load_config() == Config("ascii", {"rerun": "ctrl+r"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("glyphs = ", "cannot be read"),
        ('colour = "red"', "unknown key 'colour'"),
        ('glyphs = "emoji"', "not one of auto, unicode, ascii"),
        ('[keymap]\nfly = "f"', "no action 'fly'"),
        ("[keymap]\nrerun = 7", "7 is no key"),
        ('[keymap]\nrerun = "w"', "'w' would be both rerun and why"),
        ('[keymap]\nquit = "L"', "'L' would be both quit and lineage"),
    ],
    ids=["toml", "key", "glyphs", "action", "type", "clash", "clash-everywhere"],
)
def test_what_cannot_be_used_is_said(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadConfig, match=said) as caught:
        load_config(written(tmp_path, text))
    assert "tui.toml" in str(caught.value)
