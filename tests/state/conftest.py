"""Processes with a memory of their own."""

from collections.abc import Iterator

import pytest

from apps.core.state.process import Process
from tests.state.proxy import Proxy
from tests.state.subject import another_process, during_load


@pytest.fixture(autouse=True)
def own_process() -> Iterator[Process]:
    """Each test begins as a process that has just started."""
    with another_process() as process:
        yield process
    during_load.clear()


@pytest.fixture
def proxy(settings: object) -> Iterator[Proxy]:
    """The listener's way to PostgreSQL."""
    made = Proxy()
    before = settings.LISTENING_DATABASE  # type: ignore[attr-defined]
    settings.LISTENING_DATABASE = {**before, "HOST": made.host}  # type: ignore[attr-defined]
    yield made
    made.close()
