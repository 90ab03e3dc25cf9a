"""Addresses of screens: `home`, `tasks?q=…`, `tasks/<hash>/<tab>`, `lineage/<hash>`, `builds/<id>`, `diff/<run>..<run>`."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

__all__ = ["SCREENS", "TABS", "BadRoute", "Route"]

SCREENS = ("home", "tasks", "lineage", "builds", "diff")
TABS = ("overview", "inputs", "outputs", "sidecar", "source", "runs", "log")

_OPTIONS = {
    "home": (),
    "tasks": ("q", "status", "family", "since", "param", "sort"),
    "lineage": ("direction", "depth", "hide", "collapse", "map"),
    "builds": (),
    "diff": (),
}

_ANY = "surrogatepass"
"""Names of files need not be text that can be encoded."""


class BadRoute(ValueError):
    """Text that is the address of no screen."""


@dataclass(frozen=True)
class Route:
    """Where a screen is found again."""

    screen: str = "home"
    ref: str = ""
    """Task hash, its beginning, a path or URI; a build's id; of a comparison two with `..` between."""
    tab: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Route:
        """Read an address.

        Raises:
            BadRoute: there is no such screen; the message says which there are.
        """
        path, _, query = text.strip().strip("/").partition("?")
        name, _, rest = path.partition("/")
        screen = {"": "home", "runs": "builds"}.get(name, name)
        if screen not in SCREENS:
            message = f"There is no screen {text!r}. Give one of {', '.join(SCREENS)}, such as tasks/c2d1e8a7."
            raise BadRoute(message)
        ref, _, tab = rest.rpartition("/")
        if tab not in (*TABS, "why") or not ref:
            ref, tab = rest, ""
        if screen == "diff" and not ref:
            message = "Name what to compare: diff/RUN..RUN, diff/BUILD..BUILD, or diff/RUN with the one before."
            raise BadRoute(message)
        options = dict(urllib.parse.parse_qsl(query, errors=_ANY))
        unknown = sorted(options.keys() - set(_OPTIONS[screen]))
        if unknown:
            known = ", ".join(_OPTIONS[screen]) or "none"
            message = f"{screen} has no option {unknown[0]!r}. There are: {known}."
            raise BadRoute(message)
        tab = {"why": "overview"}.get(tab, tab)
        return cls(screen, urllib.parse.unquote(ref, errors=_ANY), tab, options)

    def with_options(self, **options: str) -> Route:
        """Give the same address with other options; empty ones are left out."""
        return replace(self, options={key: value for key, value in options.items() if value})

    def __str__(self) -> str:
        parts = [self.screen]
        if self.ref:
            parts.append(urllib.parse.quote(self.ref, safe=":/.", errors=_ANY))
        if self.tab and self.tab != "overview":
            parts.append(self.tab)
        query = urllib.parse.urlencode(self.options, errors=_ANY)
        return "/".join(parts) + (f"?{query}" if query else "")
