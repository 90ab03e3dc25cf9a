"""Importing Luigi without what few builds use: that is two fifths of the time that it takes.

Luigi imports `requests` and `tenacity` to talk to luigid, and `jsonschema` for parameters with a schema.
When Super Luigi was imported first, Luigi gets stand-ins for them, which import the real module as soon as
something of it is used. Only Luigi has them: whoever else imports these modules gets the modules.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

__all__ = ["import_luigi_quickly"]

_LUIGI = "luigi"
_USED_BY_FEW = ("jsonschema", "requests", "tenacity")
_WRAPS_REQUESTS = "requests_unixsocket"
"""Where it is installed, Luigi imports it instead, and it needs the real one."""


def import_luigi_quickly() -> None:
    """Have Luigi imported so from now on; nothing is imported here."""
    if _LUIGI not in sys.modules and not any(isinstance(each, _Finder) for each in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder:
    """Finds Luigi once, and is gone."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """As Python's own finders do, for Luigi alone."""
        if name != _LUIGI:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)  # type: ignore[assignment]
        return spec


class _Loader:
    """Loads Luigi among stand-ins."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As the real loader does."""
        created: ModuleType | None = self._real.create_module(spec)
        return created

    def exec_module(self, module: ModuleType) -> None:
        """As the real loader does, which the module then has for everybody who asks for it."""
        module.__loader__ = self._real
        if module.__spec__ is not None:
            module.__spec__.loader = self._real
        with _stand_ins():
            self._real.exec_module(module)


@contextmanager
def _stand_ins() -> Iterator[None]:
    placed = {name: _Later(name) for name in _USED_BY_FEW if _can_wait(name)}
    sys.modules.update(placed)
    try:
        yield
    finally:
        for name, stand_in in placed.items():
            stand_in.is_importing = False
            if sys.modules.get(name) is stand_in:
                del sys.modules[name]


def _can_wait(name: str) -> bool:
    if name in sys.modules or importlib.util.find_spec(name) is None:
        return False
    return name != "requests" or importlib.util.find_spec(_WRAPS_REQUESTS) is None


class _Later(ModuleType):
    """A module that is imported when something of it is used."""

    is_importing = True

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if self.is_importing:  # `from tenacity import Retrying`: not used yet
            return _LaterCall(self.__name__, name)
        return getattr(importlib.import_module(self.__name__), name)


class _LaterCall:
    """A function or class of such a module, imported when it is called."""

    def __init__(self, module: str, name: str) -> None:
        self._module = module
        self._name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return getattr(importlib.import_module(self._module), self._name)(*args, **kwargs)
