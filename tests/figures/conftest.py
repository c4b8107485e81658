"""Figures of few days, unless a test is about more: counting each of 840 hours takes a while."""

from datetime import timedelta

import pytest

from apps.figures import counting


@pytest.fixture(autouse=True)
def kept_for_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "KEPT", timedelta(hours=13))
