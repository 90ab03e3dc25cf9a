"""A made-up catalog for a first look, the screenshots and the tests."""

from superluigi_tui.demo.catalog import NOW, make_demo

__all__ = ["NOW", "make_demo"]
