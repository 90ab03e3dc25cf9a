"""The stage OtherRaw."""

import sys
from pathlib import Path

import dvc.api
from entered import entered

entered("OtherRaw")
day = dvc.api.params_show()["day"]
Path(sys.argv[1]).write_text(f"{day} something else")
