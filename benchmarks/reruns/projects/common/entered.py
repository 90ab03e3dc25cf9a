"""The log of what really ran: every step says so first."""

from pathlib import Path


def entered(step: str) -> None:
    with Path("ran.log").open("a", encoding="utf-8") as file:
        file.write(step + "\n")
