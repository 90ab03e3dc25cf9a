"""`superluigi demo`: the README's pipeline on real data, with everything that it shows checked as it runs."""

from superluigi.demo.run import run_demo

__all__ = ["run_demo"]
