"""`superluigi` and `python -m superluigi`."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command line."""
    from superluigi.cli import command

    command(prog_name="superluigi")


if __name__ == "__main__":
    main()
