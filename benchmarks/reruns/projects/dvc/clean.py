"""The stage Clean."""

import sys
from pathlib import Path

import dvc.api
from cleaning import first_words
from entered import entered

entered("Clean")
n = dvc.api.params_show()["n"]
words = first_words(Path(sys.argv[1]).read_text())
cleaned = " ".join(words)
Path(sys.argv[2]).write_text(f"{cleaned} {n}")
