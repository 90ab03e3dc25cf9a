"""Raw → Clean → Report: gokart names and writes the outputs."""

import os

import gokart
import luigi
from bases import Cleaning
from cleaning import first_words
from entered import entered


class Source(gokart.TaskOnKart):
    def output(self):
        return self.make_target("source.txt", use_unique_id=False)


class Raw(gokart.TaskOnKart):
    day = luigi.Parameter()

    def requires(self):
        return Source()

    def run(self):
        entered("Raw")
        source = " ".join(self.load())
        self.dump(f"{self.day}{os.environ.get('SALT', '')} {source}")


class OtherRaw(gokart.TaskOnKart):
    day = luigi.Parameter()

    def run(self):
        entered("OtherRaw")
        self.dump(f"{self.day} something else")


class Clean(Cleaning):
    day = luigi.Parameter()
    n = luigi.IntParameter()

    def requires(self):
        return Raw(day=self.day)

    def run(self):
        entered("Clean")
        words = first_words(self.load())
        cleaned = " ".join(words)
        self.dump(f"{self.title()} {cleaned} {self.n}")


class Report(gokart.TaskOnKart):
    day = luigi.Parameter()
    n = luigi.IntParameter()

    def requires(self):
        return Clean(day=self.day, n=self.n)

    def run(self):
        entered("Report")
        self.dump(f"report: {self.load()}")
