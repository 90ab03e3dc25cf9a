"""`[params.Family]` of a project's settings, in Luigi's configuration.

Luigi reads `luigi.cfg` when it is imported. So are these, with the task classes: `task_id` is the same
inside a build, in a notebook and in a target's path. What a `luigi.cfg` says goes first.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from luigi.configuration import get_config
from luigi.task_register import Register

from superluigi.errors import SettingsError
from superluigi.hashing import new_generation
from superluigi.project import find_project
from superluigi.settings import load_settings

__all__ = ["use_params", "use_params_of_project"]

_Params = dict[tuple[str, str], str]

_in_use: _Params = {}
"""(family, parameter) → value, of what was put there and is still as it was put."""


def use_params_of_project() -> None:
    """Put the parameters of the working directory's project into Luigi's configuration.

    Settings that cannot be read are a warning here, and an error of the next build.
    """
    try:
        settings = load_settings(find_project().root)
    except SettingsError as error:
        warnings.warn(f"Its [params] are not used: {error}", stacklevel=2)
        return
    use_params(settings.params)


def use_params(params: Mapping[str, Mapping[str, Any]]) -> None:
    """Put parameters into Luigi's configuration in the place of those put there before."""
    wanted = {
        (str(family), str(name)): str(value)
        for family, values in params.items()
        for name, value in values.items()
    }
    if wanted == _in_use:
        return
    config = get_config()
    for (family, name), value in _in_use.items():
        if config.has_option(family, name) and config.get(family, name) == value:
            config.remove_option(family, name)
    _in_use.clear()
    for (family, name), value in wanted.items():
        if not config.has_option(family, name):
            config.set(family, name, value)
            _in_use[family, name] = value
    Register.clear_instance_cache()
    new_generation()
