"""What Clean uses of another module."""

from words import split

LIMIT = 2


def first_words(text: str) -> list[str]:
    return split(text)[:LIMIT]


def nobody_calls_this(text: str) -> str:
    return text.lower()
