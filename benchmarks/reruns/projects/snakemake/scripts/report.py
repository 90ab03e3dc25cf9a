"""The rule Report."""

from pathlib import Path

from entered import entered

entered("Report")
Path(snakemake.output[0]).write_text(f"report: {Path(snakemake.input[0]).read_text()}")
