"""Tests of the engine load TensorFlow in the test's own process."""

from __future__ import annotations

import pytest

from tests.builders import KERAS_WARNING


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("filterwarnings", KERAS_WARNING)
