from __future__ import annotations

import subprocess
import sys

_ALL = """
import pkgutil, sys
from importlib import import_module
import superluigi_tui
for module in pkgutil.walk_packages(superluigi_tui.__path__, "superluigi_tui."):
    if not module.name.endswith("__main__"):
        import_module(module.name)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_the_whole_terminal_ui_imports_neither_luigi_nor_the_core() -> None:
    done = subprocess.run([sys.executable, "-c", _ALL], check=True, capture_output=True, text=True)
    imported = set(done.stdout.split())
    assert "superluigi_tui" in imported
    assert not imported & {"luigi", "superluigi", "boto3", "botocore", "sqlite_utils", "pandas"}
