"""The rule Raw."""

import os
from pathlib import Path

from entered import entered

entered("Raw")
source = Path(snakemake.input[0]).read_text()
day = snakemake.wildcards.day
Path(snakemake.output[0]).write_text(f"{day}{os.environ.get('SALT', '')} {source}")
