"""`~/.config/superluigi/tui.toml`: keys and signs.

```toml
glyphs = "auto"            # "unicode", "ascii"

[keymap]
rerun = "ctrl+r"           # ids as `?` and the README of tui/ name them
```
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from superluigi_tui.actions import ACTIONS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["BadConfig", "Config", "load_config"]

_GLYPHS = ("auto", "unicode", "ascii")


class BadConfig(ValueError):
    """A file that cannot be used; the message says what to change."""


@dataclass(frozen=True)
class Config:
    """What the user has chosen."""

    glyphs: str = "auto"
    keymap: Mapping[str, str] = field(default_factory=dict)
    """Action id → keys."""


def load_config(path: Path | None = None) -> Config:
    """Read the file; the defaults where there is none.

    Raises:
        BadConfig: it is no TOML, names unknown things, or gives one key to two actions of a screen.
    """
    path = path or _default_path()
    if not path.is_file():
        return Config()
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        message = f"{path} cannot be read: {error}."
        raise BadConfig(message) from error
    return _checked(table, path)


def _default_path() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser() / "superluigi" / "tui.toml"


def _checked(table: Mapping[str, Any], path: Path) -> Config:
    unknown = sorted(table.keys() - {"glyphs", "keymap"})
    if unknown:
        message = f"{path}: unknown key {unknown[0]!r}. Known are glyphs and [keymap]."
        raise BadConfig(message)
    glyphs = table.get("glyphs", "auto")
    if glyphs not in _GLYPHS:
        message = f"{path}: glyphs = {glyphs!r} is not one of {', '.join(_GLYPHS)}."
        raise BadConfig(message)
    keymap = table.get("keymap", {})
    known = {action.id for action in ACTIONS}
    for name, key in keymap.items():
        if name not in known:
            message = f"{path}: there is no action {name!r}. There are {', '.join(sorted(known))}."
            raise BadConfig(message)
        if not isinstance(key, str) or not key:
            message = f"{path}: {name} = {key!r} is no key. Write one such as 'ctrl+r'."
            raise BadConfig(message)
    _check_clashes(keymap, path)
    return Config(glyphs, dict(keymap))


def _check_clashes(keymap: Mapping[str, str], path: Path) -> None:
    """Refuse one key for two actions that are on one screen."""
    screens = {name for action in ACTIONS for name in action.screens} | {""}
    for screen in screens:
        users: dict[str, str] = {}
        for action in ACTIONS:
            if action.screens and screen not in action.screens:
                continue
            for key in keymap.get(action.id, action.key).split(","):
                other = users.setdefault(key, action.id)
                if other != action.id and (action.id in keymap or other in keymap):
                    where = f" on {screen}" if screen else ""
                    message = f"{path}: {key!r} would be both {other} and {action.id}{where}."
                    raise BadConfig(message)
