"""Everything the catalog raises on its own account.

CatalogError                    .path: the catalog's file, or the file that the message is about
  CatalogMissing                also FileNotFoundError: there is none, and it was to be read only
  NotACatalog                   the file is something else, or damaged beyond reading
  CatalogTooNew                 written by a newer Super Luigi
  CatalogTooOld                 to be read only, and of an older form: opening it for writing brings it up
  CatalogLocked                 another process kept it locked for longer than the time allowed
  CatalogInterrupted            a question was given up: Catalog.interrupt() was called
  CatalogReadOnly               something was to be recorded into a catalog opened for reading
  AcceptanceRefused             also ValueError: what is to be accepted does not stand, or was not accepted
  RecordRefused                 also ValueError: a record breaks the rules, such as a hash that is none
  TaskNotFound                  also LookupError: .ref: no task, run or target answers to it
  AmbiguousHash                 also LookupError: .ref .matches: a prefix or path stands for several tasks
  InvalidSidecar                also ValueError: no sidecar, broken, or over a safety cap
    SidecarTooNew               of a newer format
  PlaceUnknown                  also ValueError: a place that nothing here can look at
  ExportUnavailable             also ImportError: an export needs a package that is not installed
  DrawingUnavailable            also ImportError: a drawing needs a package that is not installed
"""

from __future__ import annotations

__all__ = [
    "AcceptanceRefused",
    "AmbiguousHash",
    "CatalogError",
    "CatalogInterrupted",
    "CatalogLocked",
    "CatalogMissing",
    "CatalogReadOnly",
    "CatalogTooNew",
    "CatalogTooOld",
    "DrawingUnavailable",
    "ExportUnavailable",
    "InvalidSidecar",
    "NotACatalog",
    "PlaceUnknown",
    "RecordRefused",
    "SidecarTooNew",
    "TaskNotFound",
]


class CatalogError(Exception):
    """The root of every error of the catalog."""

    path: str | None
    """The file it is about, where there is one."""

    def __init__(self, message: str, *, path: str | None = None) -> None:
        super().__init__(message)
        self.path = path


class CatalogMissing(CatalogError, FileNotFoundError):
    """There is no catalog to read."""


class NotACatalog(CatalogError):
    """The file is not a Super Luigi catalog."""


class CatalogTooNew(CatalogError):
    """The catalog has a form that only a newer Super Luigi knows."""


class CatalogTooOld(CatalogError):
    """The catalog must be brought up to date first, which reading alone may not do."""


class CatalogLocked(CatalogError):
    """Another process held the catalog for too long."""


class CatalogInterrupted(CatalogError):
    """A question was given up, because another thread asked for that."""


class CatalogReadOnly(CatalogError):
    """A catalog that was opened for reading was asked to record something."""


class AcceptanceRefused(CatalogError, ValueError):
    """There is nothing that could be accepted, or taken back; nothing was changed."""


class RecordRefused(CatalogError, ValueError):
    """A record that would break the catalog's rules; nothing of its transaction was kept."""


class TaskNotFound(CatalogError, LookupError):
    """Nothing recorded answers to a reference."""

    def __init__(self, message: str, *, ref: str, path: str | None = None) -> None:
        super().__init__(message, path=path)
        self.ref = ref
        """What was looked for."""


class AmbiguousHash(CatalogError, LookupError):
    """A reference stands for several tasks."""

    def __init__(
        self, message: str, *, ref: str, matches: tuple[str, ...], path: str | None = None
    ) -> None:
        super().__init__(message, path=path)
        self.ref = ref
        """What was looked for."""
        self.matches = matches
        """Some of the task hashes that it stands for, 32 hex digits each."""


class InvalidSidecar(CatalogError, ValueError):
    """A sidecar that cannot be used; `.path` is the sidecar."""

    def __init__(
        self, message: str, *, path: str | None = None, problem: str = "broken", why: str = ""
    ) -> None:
        super().__init__(message, path=path)
        self.why = why or message
        """What is wrong with it, without its name."""
        self.problem = problem
        """`broken`, `oversize`, `newer`, or `foreign`: none of Super Luigi's, or of another target."""


class SidecarTooNew(InvalidSidecar):
    """A sidecar of a format that only a newer Super Luigi knows."""


class PlaceUnknown(CatalogError, ValueError):
    """A place that does not exist, or that nothing here can look at."""


class ExportUnavailable(CatalogError, ImportError):
    """An export needs a package that is not installed here."""


class DrawingUnavailable(CatalogError, ImportError):
    """A drawing needs a package that is not installed here."""
