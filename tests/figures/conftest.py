"""Figures of few days, unless a test is about more: counting each of 840 hours takes a while."""

from datetime import timedelta

import pytest

from apps.figures import counting


@pytest.fixture(autouse=True)
def kept_for_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "KEPT", timedelta(hours=13))


@pytest.fixture(autouse=True)
def counting_takes_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour that took long to count is left alone for longer: how long it takes says how busy the machine is."""
    monkeypatch.setattr(counting, "SHARE", 0)
