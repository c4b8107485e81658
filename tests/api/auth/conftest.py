"""For tests that ask a shortcut and the view behind it: the log, and a process that remembers."""

from collections.abc import Callable

import pytest

from tests.api.auth.two_ways import Scene
from tests.conftest import MakeClient


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    return lambda: capsys.readouterr().out


@pytest.fixture
def warm(client_for: MakeClient) -> Callable[[Scene], None]:
    """From then on the process remembers the session, its user and customer as they are now."""

    def read(scene: Scene) -> None:
        assert client_for(None).get("/api/auth/me", token=scene.pair.access).status == 200

    return read
