"""The stage Raw."""

import os
import sys
from pathlib import Path

import dvc.api
from entered import entered

entered("Raw")
day = dvc.api.params_show()["day"]
source = Path(sys.argv[1]).read_text()
Path(sys.argv[2]).write_text(f"{day}{os.environ.get('SALT', '')} {source}")
