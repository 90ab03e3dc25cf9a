"""Where targets and sidecars are: what looks at them, which the catalog itself does not do.

`superluigi` brings what looks at local files and at S3, and registers it by the scheme of the URIs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from superluigi_catalog.errors import PlaceUnknown
from superluigi_catalog.project import Project
from superluigi_catalog.records import JsonObject, Observed

__all__ = [
    "SIDECAR_SUFFIX",
    "Copies",
    "DeadUpload",
    "FoundSidecar",
    "LocalCopy",
    "Places",
    "Uploads",
    "copies_of",
    "places_of",
    "register",
    "register_copies",
    "register_uploads",
    "scheme_of",
    "uploads_of",
]

SIDECAR_SUFFIX = ".metadata.json"

_PLUGINS = "superluigi_catalog.places"


@dataclass(frozen=True, slots=True)
class FoundSidecar:
    """A sidecar, found and not yet read."""

    uri: str
    """In its stored form."""
    token: str = ""
    """Changes whenever the sidecar does."""
    size_bytes: int = 0
    problem: str = ""
    """Why there is nothing to be read: the place itself could not be looked into."""


class Places(Protocol):
    """Looks at the places of one kind; uris are in their stored form."""

    def sidecars(self, root: str) -> Iterator[FoundSidecar]:
        """Find every `*.metadata.json` below a root; what cannot be looked into is in a row, not raised.

        Raises:
            PlaceUnknown: there is no such root.
        """

    def read_sidecars(self, uris: Sequence[str]) -> list[bytes | Exception | None]:
        """Read sidecars, in their order; None: it has gone. No more than one byte above the cap of each."""

    def look(self, targets: Sequence[tuple[str, str]]) -> list[Observed]:
        """Look at (uri, kind), in their order, in bulk; an error is in the row, not raised."""

    def read(self, targets: Sequence[tuple[str, str]]) -> list[Observed]:
        """The same, with the fingerprint of what stands there; bytes are read only where they must be."""

    def remove_target(self, uri: str, kind: str, fingerprint: str) -> str:
        """Remove what stands there, if its bytes are still those.

        Returns:
            Why it was kept; empty when it is gone.
        """

    def write_acceptance(self, uri: str, kind: str, acceptance: JsonObject | None) -> str:
        """Let the sidecar of a target say that it was accepted, or say it no more.

        Returns:
            Why it does not; empty when it does.
        """

    def remove_sidecar(self, uri: str) -> str:
        """Remove a sidecar.

        Returns:
            Why it was kept; empty when it is gone.
        """


@dataclass(frozen=True, slots=True)
class LocalCopy:
    """A local copy of something remote, which can be fetched again."""

    path: str
    size_bytes: int
    used_ns: int
    """When it was last made or read, in nanoseconds since the epoch."""


class Copies(Protocol):
    """The local copies of a project."""

    def unused(self, before_ns: int) -> list[LocalCopy]:
        """List those that nobody used since then."""

    def remove_copy(self, copy: LocalCopy) -> str:
        """Remove one; as `Places.remove_target`."""


@dataclass(frozen=True, slots=True)
class DeadUpload:
    """An upload that a process of ours began and died in: parts at a store, which nobody sees."""

    uri: str
    """Where the object would have been."""
    upload_id: str
    started_ns: int
    """In nanoseconds since the epoch."""


class Uploads(Protocol):
    """The uploads of a project whose processes are dead."""

    def uploads(self) -> list[DeadUpload]:
        """List them."""

    def abort(self, upload: DeadUpload) -> str:
        """Let the store forget one; as `Places.remove_target`."""


_factories: dict[str, Callable[[Project], Places]] = {}


def register(scheme: str, factory: Callable[[Project], Places]) -> None:
    """Let the catalog look at places of a scheme; `""` for local paths."""
    _factories[scheme] = factory


_copies: list[Callable[[Project], Copies]] = []


def register_copies(factory: Callable[[Project], Copies]) -> None:
    """Let the catalog know of the local copies that are kept in a project's home."""
    _copies[:] = [factory]


def copies_of(project: Project) -> Copies | None:
    """Find the local copies of a project; None where nothing here keeps any."""
    _load_plugins()
    return _copies[0](project) if _copies else None


_uploads: list[Callable[[Project], Uploads]] = []


def register_uploads(factory: Callable[[Project], Uploads]) -> None:
    """Let the catalog know of uploads that died."""
    _uploads[:] = [factory]


def uploads_of(project: Project) -> Uploads | None:
    """Find the dead uploads of a project; None where nothing here uploads."""
    _load_plugins()
    return _uploads[0](project) if _uploads else None


def scheme_of(uri: str) -> str:
    """Name the scheme of a uri; `""` for a local path."""
    head, sign, _ = uri.partition("://")
    return head if sign else ""


def places_of(uri: str, project: Project) -> Places:
    """Find what looks at a place.

    Raises:
        PlaceUnknown: nothing here does.
    """
    scheme = scheme_of(uri)
    if scheme not in _factories:
        _load_plugins()
    if scheme not in _factories:
        known = " and ".join(f"{name}://" if name else "local paths" for name in sorted(_factories))
        message = f"Nothing here can look at {uri!r}. " + (
            f"Known are {known}."
            if known
            else "The catalog alone only reads its own file: call it through superluigi."
        )
        raise PlaceUnknown(message, path=uri)
    return _factories[scheme](project)


def _load_plugins() -> None:
    from importlib.metadata import entry_points  # slow to import, and rarely needed

    for plugin in entry_points(group=_PLUGINS):
        plugin.load()()
