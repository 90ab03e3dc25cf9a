"""The rule Clean."""

from pathlib import Path

from cleaning import first_words
from entered import entered

entered("Clean")
words = first_words(Path(snakemake.input[0]).read_text())
cleaned = " ".join(words)
Path(snakemake.output[0]).write_text(f"{cleaned} {snakemake.params.n}")
