import pytest

from tests.api.forward_auth.asking import Proxy, by_shortcut, by_view


@pytest.fixture(params=[by_shortcut, by_view], ids=["shortcut", "view"])
def proxy(request: pytest.FixtureRequest) -> Proxy:
    """Both give the same answers."""
    made: Proxy = request.param()
    return made
