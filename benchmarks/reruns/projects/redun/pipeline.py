"""raw → clean → report, which write files and hand them on."""

import os

from cleaning import first_words
from entered import entered
from redun import File, task

redun_namespace = "reruns"


@task()
def raw(source: File, day: str) -> File:
    entered("Raw")
    file = File(f"data/raw-{day}.txt")
    file.write(f"{day}{os.environ.get('SALT', '')} {source.read()}")
    return file


@task()
def other_raw(day: str) -> File:
    entered("OtherRaw")
    file = File(f"data/other-{day}.txt")
    file.write(f"{day} something else")
    return file


@task()
def clean(raw_file: File, day: str, n: int) -> File:
    entered("Clean")
    words = first_words(raw_file.read())
    cleaned = " ".join(words)
    file = File(f"data/clean-{day}.txt")
    file.write(f"{cleaned} {n}")
    return file


@task()
def report(clean_file: File, day: str) -> File:
    entered("Report")
    file = File(f"data/report-{day}.txt")
    file.write(f"report: {clean_file.read()}")
    return file


@task()
def main(day: str, n: int) -> File:
    raw_file = raw(File("source.txt"), day)
    return report(clean(raw_file, day, n), day)
