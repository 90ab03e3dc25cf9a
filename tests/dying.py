"""A process that dies at a chosen step, as by a power cut: no `finally`, no `atexit`, nothing flushed.

The steps are what could leave something half done: changes of the filesystem, as the interpreter's own
audit events tell of them, transactions of the catalog, and requests to S3. The process dies just before one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

__all__ = ["die_before"]

_CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "shutil.rmtree"}
_WRITING = os.O_WRONLY | os.O_RDWR
_DIED = 9


def die_before(step: int, do: Callable[[], object], *, within: Path) -> int:
    """Do something in a forked child that dies just before its `step`-th step.

    Args:
        step: From 1.
        do: What the child does.
        within: The folder whose changes are steps; what Super Luigi keeps for itself there is not.

    Returns:
        How many steps there were, if it lived; else 0.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            steps = _Steps(step)
            steps.watch_files(str(within))
            steps.watch_catalog()
            steps.watch_s3()
            do()
            os.write(writer, b"%d" % steps.taken)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        told = pipe.read()
    _, status = os.waitpid(pid, 0)
    assert status in (0, _DIED << 8), status
    return int(told or 0)


class _Steps:
    def __init__(self, last: int) -> None:
        self.taken = 0
        self._last = last
        self._numbers = count(1)

    def take(self) -> None:
        self.taken = next(self._numbers)
        if self.taken == self._last:
            os._exit(_DIED)

    def watch_files(self, folder: str) -> None:
        own = os.path.join(folder, ".superluigi") + os.sep  # noqa: PTH118 - a Path would be normalised

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            if event == "open":
                changes = isinstance(arguments[2], int) and arguments[2] & _WRITING
            else:
                changes = event in _CHANGES
            if changes and isinstance(arguments[0], (str, bytes, os.PathLike)):
                path = os.path.abspath(os.fsdecode(arguments[0]))  # noqa: PTH100 - called often
                if path.startswith(folder + os.sep) and not path.startswith(own):
                    self.take()

        sys.addaudithook(hook)

    def watch_catalog(self) -> None:
        from superluigi_catalog.connected import Connected

        begin = Connected._writing

        def writing(catalog: Connected) -> Any:
            self.take()
            return begin(catalog)

        Connected._writing = writing  # type: ignore[method-assign]

    def watch_s3(self) -> None:
        client = sys.modules.get("botocore.client")
        if client is not None:
            call = client.BaseClient._make_api_call

            def make_api_call(*arguments: Any) -> Any:
                self.take()
                return call(*arguments)

            client.BaseClient._make_api_call = make_api_call
