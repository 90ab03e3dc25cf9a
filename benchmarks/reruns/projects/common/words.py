"""What the helper of Clean uses of a third module."""


def split(text: str) -> list[str]:
    return text.split()
