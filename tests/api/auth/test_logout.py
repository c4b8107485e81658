"""`/api/auth/logout` by an access token."""

import pytest

from apps.tokens.models import RevokedToken, Session
from tests import factories
from tests.conftest import MakeClient

pytestmark = pytest.mark.django_db(transaction=True)


def test_logging_out_ends_the_session_and_blacklists_the_token(client_for: MakeClient) -> None:
    pair = factories.session(factories.user(factories.customer()))
    client = client_for(None)
    answer = client.post("/api/auth/logout", {}, token=pair.access)
    assert answer.document == {"message": "Logged out successfully"}
    assert client.get("/api/auth/me", token=pair.access).error_type == "token_revoked"
    assert client.refresh(pair.refresh).error_type == "session_ended"
    assert RevokedToken.objects.get().jti == pair.jti
    assert Session.objects.get().end_reason == "logout"


def test_logging_out_without_a_body_is_fine(client_for: MakeClient) -> None:
    pair = factories.session(factories.user(factories.customer()))
    assert client_for(None).with_token("POST", "/api/auth/logout", token=pair.access).status == 200
