"""Where a program's CPU time goes: what it is doing at every tick of its own CPU clock.

    python sampling.py SAMPLES.json PROGRAM [ARGUMENT]...

Runs in the process that is looked at, so it imports little. The samples, as counts of (layer, function), are
added to those that are in the file.
"""

from __future__ import annotations

import json
import runpy
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

__all__ = ["INTERVAL_S", "LAYERS", "Samples", "layer_of", "package_of", "place_of"]

INTERVAL_S = 0.001

LAYERS: dict[str, tuple[str, ...]] = {
    "imports": ("<frozen importlib",),
    "Luigi's scheduler": ("/luigi/scheduler.py",),
    "Luigi": ("/luigi/",),
    "scheduler": ("/superluigi/running/scheduler",),
    "worker and build": ("/superluigi/running/", "/superluigi/task_runner/"),
    "events and logs": ("/superluigi/running/events.py", "/superluigi/running/capture.py"),
    "progress": ("/superluigi/progress/",),
    "hashing": ("/superluigi/hashing.py", "/superluigi/graph.py", "/superluigi/parameters.py"),
    "code": ("/superluigi/code/",),
    "environment and settings": (
        "/superluigi/environment.py",
        "/superluigi/settings.py",
        "/superluigi/project",
    ),
    "sidecar": ("/superluigi/sidecar.py", "/superluigi/execution/document.py"),
    "fingerprints and files": ("/superluigi/files.py", "/superluigi/targets/"),
    "execution": ("/superluigi/execution/",),
    "planning": ("/superluigi/planning/", "/superluigi/structure.py", "/superluigi/places/"),
    "catalog": ("/superluigi_catalog/",),
    "rest of superluigi": ("/superluigi/",),
    "the tasks' own code": ("/benchmarks/programs/",),
}
"""Layer → what the file names of its code contain. The longest that fits decides."""

OTHER = "Python and its libraries"

Samples = Counter[tuple[str, str]]
"""(layer, function) → ticks."""


def layer_of(file: str) -> str | None:
    """The layer of a source file; None: of whoever called it."""
    fitting = (
        (len(part), layer) for layer, parts in LAYERS.items() for part in parts if part in file
    )
    return max(fitting, default=(0, None))[1]


def place_of(frame: FrameType | None, known: dict[str, str | None]) -> tuple[str, str]:
    """The innermost function that belongs to a layer; what is imported is told by who imports it, wherever."""
    found: tuple[str, str] | None = None
    module: str | None = None
    imports = False
    while frame is not None:
        file, name = frame.f_code.co_filename, frame.f_code.co_name
        if file not in known:
            known[file] = layer_of(file)
        layer = known[file]
        imports = imports or layer == "imports"
        if (
            name == "<module>" and module is None and not file.startswith("<")
        ):  # a dataclass is made of text
            module = package_of(file)
        if imports and module is not None:
            return "imports", f"modules of {module}"
        if found is None and layer is not None:
            whole = getattr(frame.f_code, "co_qualname", name)  # before Python 3.11 the name alone
            found = (layer, f"{'/'.join(file.split('/')[-2:])}:{whole}")
        frame = frame.f_back
    return found or (OTHER, "")


def package_of(file: str) -> str:
    """The package that a source file belongs to, as far as its name tells."""
    *_, rest = file.rpartition("/site-packages/")
    parts = rest.strip("/").split("/")
    if rest != file:
        return parts[0].removesuffix(".py")
    own = [part for part in parts if part in ("superluigi", "superluigi_catalog")]
    if own:
        return own[-1]
    return "Python's library" if file.startswith(sys.base_prefix) else parts[-1]


def main() -> None:
    """Run the program under the clock."""
    kept = Path(sys.argv[1])
    sys.argv = sys.argv[2:]
    sys.path[0] = str(Path(sys.argv[0]).parent)
    samples: Samples = Counter()
    known: dict[str, str | None] = {}
    signal.signal(signal.SIGPROF, lambda _, frame: samples.update([place_of(frame, known)]))
    signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        for layer, function, count in json.loads(kept.read_text()) if kept.exists() else ():
            samples[layer, function] += count
        kept.write_text(json.dumps([[*place, count] for place, count in samples.items()]))


if __name__ == "__main__":
    main()
