"""Text for people: untrusted text, made harmless for a terminal; sizes."""

from __future__ import annotations

import unicodedata

__all__ = ["printable", "size_text"]

# Joiners carry meaning in Indic and Arabic scripts and in emoji, and move nothing on the screen.
_HARMLESS_FORMAT = frozenset("\u200c\u200d")
_HARMFUL = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def printable(text: str, *, multiline: bool = False) -> str:
    r"""Escape what could move the cursor, recolour, reorder or break the encoding of a terminal.

    Control characters (C0, DEL, C1), format characters (bidirectional overrides, zero-width ones;
    not the joiners), line and paragraph separators and lone surrogates become `\x1b`, `\u202e`, ….

    Args:
        text: Anything: a name, a parameter, a path, a traceback.
        multiline: Leave newlines and tabs as they are, for text that is printed as a block.

    Returns:
        Text for one line, or for several with `multiline`; what was harmless is unchanged.

    Example:
        >>> print(printable("red \x1b[31m, \u202egnp.exe"))
        red \x1b[31m, \u202egnp.exe
    """
    if text.isprintable():
        return text
    spared = _HARMLESS_FORMAT | {"\n", "\t"} if multiline else _HARMLESS_FORMAT
    return "".join(
        character if character in spared or not _is_harmful(character) else _escape(character)
        for character in text
    )


def size_text(size_bytes: int | None) -> str:
    """Bytes in the unit that fits.

    Example:
        >>> size_text(999), size_text(48212), size_text(18_200_000), size_text(None)
        ('999 B', '48.2 kB', '18.2 MB', '')
    """
    if size_bytes is None:
        return ""
    size = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _is_harmful(character: str) -> bool:
    return not character.isprintable() and unicodedata.category(character) in _HARMFUL


def _escape(character: str) -> str:
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character)
    if named is not None:
        return named
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
