"""The public face: from a task class to the fingerprint of its code."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from superluigi.code.assembly import fingerprint_of_text
from superluigi.code.cache import TableCache
from superluigi.code.reading import ClassReader, without_source
from superluigi.code.records import CodeFingerprint, CodePart, NotFollowed

__all__ = ["CodeFingerprint", "CodePart", "Fingerprinter", "NotFollowed", "fingerprint_code"]

_SHARED_TABLES = TableCache()
"""Of `fingerprint_code`: kept for the process, though every call looks at the files' times."""


class Fingerprinter:
    """Fingerprints of many classes in one pass over the sources.

    A pass reads every file at most once. `refresh()` starts the next one, which re-reads what
    changed on disk and keeps the rest. With a `cache_path` the tables of files outlive the
    process, once `save()` wrote them; used as a context manager it saves at the end.

    Args:
        roots: Directories whose code is project code; by default each task's own project.
        cache_path: A JSON file for the tables; created by `save()`.
        includes: Dotted names of installed packages that count as project code.
        excludes: Dotted names of project modules that do not.

    Example:
        with Fingerprinter(cache_path=home / "cache" / "code.json") as fingerprinter:
            codes = {cls: fingerprinter.fingerprint(cls) for cls in classes}
    """

    def __init__(
        self,
        *,
        roots: Iterable[str | Path] | None = None,
        cache_path: str | Path | None = None,
        includes: Iterable[str] = (),
        excludes: Iterable[str] = (),
    ) -> None:
        self._roots = _texts(roots)
        self._includes = tuple(includes)
        self._excludes = tuple(excludes)
        self._cache = TableCache(cache_path)
        self.refresh()

    def __enter__(self) -> Fingerprinter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.save()

    @property
    def parsed(self) -> int:
        """How many files were parsed so far, rather than taken from the cache."""
        return self._cache.parsed

    def fingerprint(self, task_or_class: object) -> CodeFingerprint:
        """The fingerprint of one class as its sources stand on disk.

        Never raises for the code it reads: what fails is an entry of `not_followed`.

        Args:
            task_or_class: A task class, or an instance of one.
        """
        return _fingerprint(self._reader, task_or_class)

    def fingerprint_at(self, file: str | Path, qualname: str) -> CodeFingerprint | None:
        """The fingerprint of a class that nobody has imported.

        Args:
            file: The file that defines it.
            qualname: Its name in there, such as `Outer.Inner`.

        Returns:
            None if no such class stands there.
        """
        return self._reader.read_at(Path(file).absolute(), qualname, "")

    def refresh(self) -> None:
        """Start another pass: files that changed since are read again."""
        self._reader = ClassReader(self._cache, self._roots, self._includes, self._excludes)

    def save(self) -> None:
        """Write the cache, if there is one to write; a read-only place is left alone."""
        self._cache.save()


def fingerprint_code(
    task_or_class: object, *, roots: Iterable[str | Path] | None = None
) -> CodeFingerprint:
    """The fingerprint of the code behind a task class, as its sources stand on disk now.

    Args:
        task_or_class: A task class, or an instance of one.
        roots: Directories whose code is project code; by default the task's own project.
    """
    return _fingerprint(ClassReader(_SHARED_TABLES, _texts(roots)), task_or_class)


def _fingerprint(reader: ClassReader, task_or_class: object) -> CodeFingerprint:
    cls = task_or_class if isinstance(task_or_class, type) else type(task_or_class)
    try:
        return _declared(cls) or reader.read(cls)
    except Exception as error:
        # A decision about tens of tasks must not die of one odd source.
        return without_source(cls, "failed", type(error).__name__)


def _declared(cls: type) -> CodeFingerprint | None:
    """What a class says itself instead of having its code read."""
    if getattr(cls, "code_fingerprint", None) is False:
        return CodeFingerprint(None)
    version = getattr(cls, "code_version", None)
    if not isinstance(version, (str, int)) or isinstance(version, bool):
        return None
    text = str(version)
    return CodeFingerprint(fingerprint_of_text("code_version", text), code_version=text)


def _texts(roots: Iterable[str | Path] | None) -> tuple[str, ...] | None:
    return None if roots is None else tuple(str(root) for root in roots)
