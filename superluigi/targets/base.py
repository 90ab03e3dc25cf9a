"""What every Super Luigi target can do: say its state, keep a sidecar, hand out inputs, publish outputs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import luigi

from superluigi.targets.state import Content, Observation

__all__ = ["SIDECAR_SUFFIX", "PendingOutput", "Stash", "TargetWithMetadata"]

SIDECAR_SUFFIX = ".metadata.json"


class TargetWithMetadata(luigi.Target, ABC):
    """A target with a sidecar beside it.

    A user calls `exists()`, `path`, `open()`, `download()` and `metadata()`. The rest is what planning
    and publishing need; each method is one cheap look, one read or one write, and none caches.
    """

    path: str
    """A local path as the user wrote it, or an `s3://` URI."""

    announces_before_missing: ClassVar[bool] = False
    """Whether a dead run can leave the target missing with a `<sidecar>.next` that says where it went."""

    @property
    def kind(self) -> str:
        """The target's class name, as recorded."""
        return type(self).__name__

    @property
    @abstractmethod
    def uri(self) -> str:
        """Where it is, for everybody: an absolute local path or an `s3://` URI."""

    @property
    @abstractmethod
    def metadata_path(self) -> str:
        """Where its sidecar is: a local path or an `s3://` URI."""

    # -- state ---------------------------------------------------------------------------------

    @abstractmethod
    def observe(self) -> Observation:
        """Look once, without reading.

        Raises:
            TargetConflict: a folder stands where a file was meant, or the other way round.
            AccessDenied, BucketMissing: the store refused; it is not known whether the target exists.
        """

    @classmethod
    def observe_many(cls, targets: Sequence[Any]) -> list[Observation]:
        """Look at many targets of this class, in their order; an error is in the row, not raised."""
        return [_observe_quietly(target) for target in targets]

    @abstractmethod
    def read_content(self, observation: Observation) -> Content:
        """The fingerprint of what stands there; local bytes are read, remote ones only if they must be.

        Raises:
            TargetMissing: it does not exist.
        """

    # -- sidecar -------------------------------------------------------------------------------

    @abstractmethod
    def read_sidecar(self) -> bytes | None:
        """The sidecar's bytes, None when there is none. Larger ones than the cap are cut one byte above it."""

    @abstractmethod
    def write_sidecar(self, document: dict[str, Any]) -> None:
        """Replace the sidecar at once; a reader sees the old one or the new one."""

    def restore_sidecar(self, document: dict[str, Any]) -> None:
        """Write a sidecar again that was found missing."""
        self.write_sidecar(document)

    @abstractmethod
    def read_next(self) -> bytes | None:
        """The bytes of `<sidecar>.next`, which stands only while something is being published."""

    def has_sidecar(self) -> bool | None:
        """Whether the sidecar is there, where that can be told for nothing; None elsewhere."""
        return None

    def is_announced(self) -> bool | None:
        """Whether a `<sidecar>.next` stands there, where that can be told for nothing; None elsewhere."""
        return None

    @abstractmethod
    def write_next(self, document: dict[str, Any]) -> None:
        """Announce a publish or a run that writes in place."""

    @abstractmethod
    def remove_next(self) -> None:
        """Withdraw the announcement; nothing if there is none."""

    def sync(self) -> None:
        """Force what stands there, with its sidecar, to the disk; nothing where the store does that itself."""

    # -- inputs and outputs ----------------------------------------------------------------------

    @abstractmethod
    def hand_out(self, directory: str, *, force_download: bool = False) -> tuple[str, Observation]:
        """A local path, inside the empty `directory`, that a task may read; and what was observed of it.

        The path has the target's base name. What the task does to it never reaches the original. The
        observation is of exactly the bytes handed out.

        Raises:
            TargetMissing: there is nothing to hand out.
            InputChanged: it kept changing while it was copied.
        """

    @abstractmethod
    def begin_output(self, run_id: str) -> PendingOutput:
        """A place to write a new version, which appears only when it is published."""

    @abstractmethod
    def stash(self, run_id: str) -> Stash | None:
        """A way to put what stands there aside, for a task that writes in place; None when nothing does.

        Nothing is moved before `Stash.take()`.
        """

    @abstractmethod
    def put_back(self, location: str) -> bool:
        """Put what a dead run stashed at `location` back; False when nothing lies there any more."""

    def drop_stashed(self, location: str) -> None:
        """Let go what a run stashed at `location` and had no more time to let go itself."""

    @abstractmethod
    def download(self, to: str | None = None, *, force: bool = False) -> str:
        """A local path with the content: the target itself, its cached copy, or a copy at `to`.

        Raises:
            TargetMissing: it does not exist.
        """

    def metadata(self) -> dict[str, Any] | None:
        """The sidecar as a dict, None when there is none.

        Raises:
            SidecarError: it is malformed, too large, or of a newer format.
        """
        from superluigi.sidecar import decode_sidecar

        data = self.read_sidecar()
        return None if data is None else decode_sidecar(data, path=self.metadata_path)

    # Equal targets are one place: a set of them has one row per place.
    def __eq__(self, other: object) -> bool:
        return isinstance(other, TargetWithMetadata) and (self.kind, self.uri) == (
            other.kind,
            other.uri,
        )

    def __hash__(self) -> int:
        return hash((self.kind, self.uri))

    def __repr__(self) -> str:
        return f"{self.kind}({self.path!r})"


class PendingOutput(ABC):
    """A new version of a target that nobody sees yet.

    The way: the task writes to `path` → `seal()` → `prepare(document)` for every output of the task →
    `commit()` for every output. Until the first `commit()` nothing has changed for a reader.
    """

    path: str
    """Where the task writes. The base name is the target's; a folder exists and is empty."""
    durable: bool = False
    """Whether it is forced to the disk before it counts."""
    replaces: str | None = None
    """The token of what the plan saw there, "" for nothing: where the store can, nothing else is replaced.
    None where nobody looked."""
    is_published: bool = False
    """Whether the target is the new version already, be it without its sidecar."""

    @abstractmethod
    def seal(self) -> Content:
        """Check that something was written, and read its fingerprint.

        Raises:
            OutputNotWritten: nothing, an empty folder, a folder for a file, or a file for a folder.
        """

    @abstractmethod
    def prepare(self, document: dict[str, Any]) -> None:
        """Take the sidecar's document, and announce it where a crash in `commit()` could not be told otherwise.

        What only the store knows (`etag`, `version_id`, `mtime_ns`) is added to `document["output"]` by
        `prepare()` or `commit()`.
        """

    @abstractmethod
    def commit(self) -> Observation:
        """Make the new version the target, with its sidecar; what one look at it now shows."""

    @abstractmethod
    def discard(self) -> None:
        """Remove what was written and withdraw it; also after `commit()`, to remove the temporary directory."""

    @abstractmethod
    def keep(self) -> str:
        """Leave what was written where it is, for a person to look at; its path."""


class Stash(ABC):
    """An old version put aside while a task writes in place."""

    location: str
    """Where it will lie, recorded in `<sidecar>.next` first, so that a later build can put it back."""

    @abstractmethod
    def take(self) -> None:
        """Put it aside."""

    @abstractmethod
    def restore(self) -> None:
        """Put it back over whatever the task left."""

    @abstractmethod
    def drop(self) -> None:
        """Let it go: the new version is complete."""


def _observe_quietly(target: TargetWithMetadata) -> Observation:
    try:
        return target.observe()
    except Exception as error:
        return Observation(exists=False, error=f"{error}")
