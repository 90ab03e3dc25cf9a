"""What a run prints and logs, kept in a file of its own as well."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import luigi

from superluigi.graph import task_text

__all__ = ["RunLog", "private_values_hidden"]

_FORMAT = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")


class RunLog:
    """While inside, text written to `sys.stdout` and `sys.stderr` and log records also go to a file.

    The file is made when there is something to write. What subprocesses and C code write is not seen.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: TextIO | None = None
        self._handler = _FileHandler(self)

    def __enter__(self) -> RunLog:
        self._streams = (sys.stdout, sys.stderr)
        sys.stdout = _Tee(self._streams[0], self)
        sys.stderr = _Tee(self._streams[1], self)
        logging.getLogger().addHandler(self._handler)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        logging.getLogger().removeHandler(self._handler)
        sys.stdout, sys.stderr = self._streams
        if self._file is not None:
            self._file.close()

    def write(self, text: str) -> None:
        """Add to the file."""
        if self._file is None:
            Path(self._path).parent.mkdir(parents=True, exist_ok=True)
            self._file = Path(self._path).open(  # noqa: SIM115 - closed in __exit__
                "a", encoding="utf-8", errors="backslashreplace"
            )
        self._file.write(text)


@contextmanager
def private_values_hidden() -> Iterator[None]:
    """While inside, Luigi's own log lines name tasks without PRIVATE parameters.

    Our tasks are shown so anyway; Luigi's show all that is significant.
    """
    logger = logging.getLogger("luigi-interface")
    logger.addFilter(_without_private)
    try:
        yield
    finally:
        logger.removeFilter(_without_private)


def _without_private(record: logging.LogRecord) -> bool:
    if isinstance(record.args, tuple):
        record.args = tuple(
            task_text(each) if isinstance(each, luigi.Task) else each for each in record.args
        )
    return True


class _FileHandler(logging.Handler):
    """Log records as lines of the run's log."""

    def __init__(self, log: RunLog) -> None:
        super().__init__()
        self._log = log
        self.setFormatter(_FORMAT)
        # Where nobody configured logging, Python itself shows warnings; a handler would end that.
        self._was_unconfigured = not logging.getLogger().handlers

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.partition(".")[0] in ("luigi-interface", "luigi"):
            return  # the worker's own chatter is in the build's log
        shown = logging.lastResort if self._was_unconfigured else None
        if shown is not None and record.levelno >= shown.level:
            shown.handle(record)  # to sys.stderr, and so to the log as well
            return
        try:
            self._log.write(self.format(record) + "\n")
        except Exception:
            self.handleError(record)


class _Tee(io.TextIOBase):
    """A stream that writes to two places and otherwise is the first."""

    def __init__(self, stream: TextIO, log: RunLog) -> None:
        self._stream = stream
        self._log = log

    def write(self, text: str) -> int:
        self._log.write(text)
        return self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def writable(self) -> bool:
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
