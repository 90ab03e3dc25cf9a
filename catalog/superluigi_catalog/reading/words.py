"""What is typed into a search, in the language of FTS5."""

from __future__ import annotations

import re

from superluigi_catalog.storage.session import Session
from superluigi_catalog.storage.values import storable

__all__ = ["match_of"]

_WORD = re.compile(r"\w+")
_INDEXED = 3
"""Beginnings of up to so many characters have an index of their own."""
_FEW = 200
_NEXT = "SELECT term FROM tasks_words WHERE term >= ? AND term < ? LIMIT 1"


def match_of(session: Session, text: str) -> str | None:
    """Return what finds tasks with words that begin with all of these; None where there is no word in it.

    Quoted, every word is only a word: AND, NEAR and * mean nothing.
    """
    words = _WORD.findall(text)
    if not words:
        return None
    return storable(" AND ".join(_beginning(session, word) for word in words))


def _beginning(session: Session, word: str) -> str:
    """Look for all words with a beginning.

    For a beginning that has no index, SQLite would collect the tasks of all words before it gives the
    first: where the words are few they are named, and then come one after the other.
    """
    if len(word) > _INDEXED and word.isascii() and word.isalnum():
        words = _words(session, word.lower())
        if 0 < len(words) <= _FEW:
            return f"({' OR '.join(map(_quoted, words))})"
    return f"{_quoted(word)}*"


def _words(session: Session, beginning: str) -> list[str]:
    """List the words with this beginning, and no more than one more than a few."""
    words: list[str] = []
    beyond = f"{beginning[:-1]}{chr(ord(beginning[-1]) + 1)}"
    first = beginning
    while len(words) <= _FEW and (found := session.row(_NEXT, (first, beyond))) is not None:
        words.append(found[0])
        first = f"{found[0]}\x01"
    return words


def _quoted(word: str) -> str:
    return f'"{word}"'
