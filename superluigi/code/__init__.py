"""What the code of a task was: a fingerprint of everything its `run`, `output` and `requires` reach.

Read from the sources, never by importing or calling them.
"""

from superluigi.code.fingerprint import (
    CodeFingerprint,
    CodePart,
    Fingerprinter,
    NotFollowed,
    fingerprint_code,
)

__all__ = ["CodeFingerprint", "CodePart", "Fingerprinter", "NotFollowed", "fingerprint_code"]
