"""The rule OtherRaw."""

from pathlib import Path

from entered import entered

entered("OtherRaw")
Path(snakemake.output[0]).write_text(f"{snakemake.wildcards.day} something else")
