"""Everything Super Luigi raises on its own account.

SuperLuigiError                 .task_hash .family where known
  BuildFailed                   run_task(): some runs failed; .result, .failures with each one's traceback
  TaskFailed                    run() raised; __cause__ is the user's exception
  ForceRefused                  contradictory or impossible force arguments
  PlanError                     the graph cannot be planned: two tasks claim one target, or a target lies inside another
  SettingsError                 superluigi.toml or [tool.superluigi] holds what cannot be used
  SchedulerUnreachable          luigid does not answer
  TaskNotLoadable               load_task(): the recorded task cannot be made again here
  TargetError                   .target
    TargetMissing               also FileNotFoundError
    TargetConflict              a file where a folder was meant, or the other way round
    AccessDenied                S3 refused: credentials missing, expired, or without the right
    BucketMissing               no such bucket
    ObjectChanged               S3: not, or no longer, the version that was expected
    StoreUnavailable            also ConnectionError: no connection to S3, or it cannot serve now
    OutputNotWritten            run() returned without writing its output path
    InputChanged                an input changed while the task ran
    SyncFailed                  local copy and remote differ after a transfer
  SidecarError                  .path: missing, unreadable, of a newer format
  MetadataError                 a metadata key that is ours, or a value that JSON cannot hold
  HashError                     a value without a stable serialisation; a cycle; a graph without end; one family name on two classes
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from superluigi.running.entries import Failure
    from superluigi.task_runner.result import BuildResult

__all__ = [
    "AccessDenied",
    "BucketMissing",
    "BuildFailed",
    "ForceRefused",
    "HashError",
    "InputChanged",
    "MetadataError",
    "ObjectChanged",
    "OutputNotWritten",
    "PlanError",
    "SchedulerUnreachable",
    "SettingsError",
    "SidecarError",
    "StoreUnavailable",
    "SuperLuigiError",
    "SyncFailed",
    "TargetConflict",
    "TargetError",
    "TargetMissing",
    "TaskFailed",
    "TaskNotLoadable",
]


class SuperLuigiError(Exception):
    """The root of every error of the core."""

    task_hash: str | None = None
    """The task it is about, 32 hex digits."""
    family: str | None = None
    """That task's family."""

    def __init__(
        self, message: str, *, task_hash: str | None = None, family: str | None = None
    ) -> None:
        super().__init__(message)
        self.task_hash = task_hash
        self.family = family


class BuildFailed(SuperLuigiError):
    """A build ended with tasks that failed, were blocked or were not run."""

    def __init__(self, message: str, *, result: BuildResult) -> None:
        super().__init__(message)
        self.result = result

    @property
    def failures(self) -> tuple[Failure, ...]:
        """What failed, in the order in which it failed, each with its traceback."""
        return self.result.failures


class TaskFailed(SuperLuigiError):
    """A task's own code raised: the `__cause__` of `BuildFailed`.

    Its own `__cause__` is what the task raised, where it ran in this process.
    """


class ForceRefused(SuperLuigiError, ValueError):
    """Force arguments that contradict each other, or that reach nothing that can run."""


class PlanError(SuperLuigiError):
    """The graph cannot be planned."""


class SettingsError(SuperLuigiError, ValueError):
    """A setting that cannot be used."""


class SchedulerUnreachable(SuperLuigiError, ConnectionError):
    """The central scheduler does not answer."""


class TaskNotLoadable(SuperLuigiError, LookupError):
    """A recorded task cannot be made again in this process."""


class TargetError(SuperLuigiError):
    """Something is wrong with a target."""

    def __init__(self, message: str, *, target: Any = None, **where: Any) -> None:
        super().__init__(message, **where)
        self.target = target


class TargetMissing(TargetError, FileNotFoundError):
    """A target that was to be read does not exist."""


class TargetConflict(TargetError):
    """A file stands where a folder was meant, or a folder where a file was meant."""


class AccessDenied(TargetError, PermissionError):
    """The store refused: no credentials, expired ones, or ones without the right."""


class BucketMissing(TargetError):
    """The bucket does not exist."""


class ObjectChanged(TargetError):
    """An object is not, or no longer, the version that was expected."""


class StoreUnavailable(TargetError, ConnectionError):
    """The store cannot be reached, or answers that it cannot serve now. Trying again may help."""


class OutputNotWritten(TargetError):
    """`run()` returned without writing what it was asked to write."""


class InputChanged(TargetError):
    """An input changed while the task was running: its result would be of no known input."""


class SyncFailed(TargetError):
    """After a transfer the local copy and the remote are not the same bytes."""


class SidecarError(SuperLuigiError):
    """A sidecar is missing, unreadable, or of a newer format."""

    def __init__(self, message: str, *, path: str, **where: Any) -> None:
        super().__init__(message, **where)
        self.path = path


class MetadataError(SuperLuigiError, ValueError):
    """A `metadata` key that is Super Luigi's own, or a value that JSON cannot hold."""


class HashError(SuperLuigiError):
    """A task has no identity: see the message for which of the reasons."""
