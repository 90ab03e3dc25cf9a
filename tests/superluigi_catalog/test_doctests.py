from __future__ import annotations

import doctest
from importlib import import_module

import pytest

from tests.superluigi_catalog.test_public_names import MODULES


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_are_true(name: str) -> None:
    assert doctest.testmod(import_module(name)).failed == 0
