"""Listeners on the loopback: one that must stay silent, and one that may be asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .listener import Listener


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A listener that must not have been asked anything by the end of the test."""
    made = Listener()
    yield made
    made.close()
    assert made.asked == []


@pytest.fixture
def heard() -> Iterator[Listener]:
    """A listener that may be asked."""
    made = Listener()
    yield made
    made.close()
