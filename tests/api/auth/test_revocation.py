"""Revocation (RFC 7009): a customer's server ends a token of its users; on the next request it is worth nothing."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts import erasure
from apps.api_keys.models import Scope
from apps.audit.models import Event
from apps.core import valkey
from apps.tokens import tasks
from apps.tokens.models import EndReason, RevokedToken, Session
from apps.tokens.signing import LEEWAY_SECONDS
from tests import factories
from tests.api.servers import MALFORMED, MALFORMED_NAMES, REVOKE, Server
from tests.conftest import MakeClient
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


class Scene:
    """A user with two sessions, its customer's server, and the server of another customer."""

    def __init__(self, client_for: MakeClient) -> None:
        self.customer, self.other = factories.customer(), factories.customer()
        self.user = factories.user(self.customer)
        self.pair, self.second = factories.session(self.user), factories.session(self.user)
        self.server, self.other_server = Server(self.customer), Server(self.other)
        self.client = client_for(None)

    def error(self, access: str) -> str | None:
        return self.client.get("/api/auth/me", token=access).error_type

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        rows = Event.objects.filter(action__in=("token_revoked", "session_ended")).order_by("id")
        return [(row.action, row.details) for row in rows]


@pytest.fixture
def scene(client_for: MakeClient) -> Scene:
    return Scene(client_for)


def test_an_access_token_is_worthless_on_the_next_request(scene: Scene) -> None:
    """C3.4, RFC 7009 section 2.2: 200; it survives a flush of Valkey; session and other sessions go on."""
    assert scene.error(scene.pair.access) is None
    answer = scene.server.revoke(scene.pair.access)
    assert (answer.status, answer.document) == (200, {})
    for _ in range(2):
        assert scene.error(scene.pair.access) == "token_revoked"
        valkey.client().flushdb()
    assert scene.error(scene.second.access) is None
    assert scene.error(scene.client.refresh(scene.pair.refresh).document["access_token"]) is None
    [(action, details)] = scene.events()
    assert action == "token_revoked"
    assert details == {"kind": "access", "jti": str(scene.pair.jti), "session": str(scene.pair.session_id)}
    assert Event.objects.get(action="token_revoked").actor == f"api-key:{scene.server.row.key_id}"


def test_with_a_refresh_token_its_session_ends(scene: Scene) -> None:
    """RFC 7009 section 2.1: and the access tokens that came of it."""
    assert (
        scene.server.post_form(REVOKE, ("token", scene.pair.refresh), ("token_type_hint", "access_token")).status == 200
    )
    assert scene.error(scene.pair.access) == "session_ended"
    assert scene.client.refresh(scene.pair.refresh).error_type == "session_ended"
    assert scene.error(scene.second.access) is None
    assert Session.objects.get(id=scene.pair.session_id).end_reason == EndReason.REVOKED_BY_SERVER
    assert [action for action, _ in scene.events()] == ["session_ended", "token_revoked"]


def test_a_used_refresh_token_ends_what_came_of_it(scene: Scene) -> None:
    fresh = scene.client.refresh(scene.pair.refresh).document
    assert scene.server.revoke(scene.pair.refresh).status == 200
    assert scene.error(fresh["access_token"]) == "session_ended"


def test_a_second_time_changes_nothing_and_says_nothing_else(scene: Scene) -> None:
    for token in (scene.pair.access, scene.second.refresh):
        answers = [scene.server.revoke(token) for _ in range(3)]
        assert [(answer.status, answer.document) for answer in answers] == [(200, {})] * 3
    assert Event.objects.filter(action="token_revoked").count() == 2


def test_another_customers_server_ends_nothing_and_learns_nothing(scene: Scene) -> None:
    """C1.5: the answer is that to an unknown token."""
    for token in (scene.pair.access, scene.pair.refresh):
        answer = scene.other_server.revoke(token)
        assert (answer.status, answer.document) == (200, {})
    assert scene.error(scene.pair.access) is None
    assert scene.client.refresh(scene.pair.refresh).status == 200
    assert scene.events() == []


def test_a_text_that_is_no_token_is_answered_as_revoked(scene: Scene) -> None:
    """RFC 7009 section 2.2: 200 for anything; a token of an erased user, too."""
    header, payload, signature = scene.pair.access.split(".")
    forged = f"{header}.{payload}.{signature[:-4]}AAAA"
    for text in ("", "x", "\0", "a" * 9000, forged, f" {scene.pair.access}"):
        assert (scene.server.revoke(text).status, scene.events()) == (200, [])
    assert scene.error(scene.pair.access) is None
    who = {"customer_id": scene.customer.id, "user_id": scene.user.id, "context": factories.context()}
    erasure.erase_oneself(**who)
    for token in (scene.pair.access, scene.pair.refresh):
        assert scene.server.revoke(token).status == 200


def test_a_blacklist_entry_outlives_its_token(scene: Scene) -> None:
    """C3.4: cleaning up must not bring a revoked token back, not even for the seconds of the leeway."""
    scene.server.revoke(scene.pair.access)
    row = RevokedToken.objects.get(jti=scene.pair.jti)
    assert row.expires_at > timezone.now()
    row.expires_at = timezone.now() - timedelta(seconds=LEEWAY_SECONDS)
    row.save()
    tasks.remove_expired()
    assert RevokedToken.objects.filter(jti=scene.pair.jti).exists()


def test_many_at_once_revoke_it_once(scene: Scene) -> None:
    """No error, one row, one event."""
    statuses = at_once(16, lambda _: scene.server.revoke(scene.pair.access).status, threads=8)
    assert statuses == [200] * 16
    assert Event.objects.filter(action="token_revoked").count() == 1


def test_a_token_is_revoked_without_valkey_too(scene: Scene, valkey_away: Any) -> None:
    """C3.4: the revocation is in PostgreSQL, and needs nothing more."""
    valkey_away.kill()
    answer = scene.server.revoke(scene.pair.access)
    assert (answer.status, answer.document) == (200, {})
    assert scene.error(scene.pair.access) == "token_revoked"


def test_only_a_key_with_the_scope_may_revoke(scene: Scene, client_for: MakeClient) -> None:
    """C1.3: a key, with the scope."""
    bare = client_for(None).call("POST", REVOKE, json.dumps({"token": scene.pair.access}).encode())
    assert (bare.status, bare.error_type) == (401, "api_key_required")
    weak = Server(scene.customer, [Scope.AUTH, Scope.TOKENS_INTROSPECT]).revoke(scene.pair.access)
    assert (weak.status, weak.error_type) == (403, "permission_denied")
    assert scene.error(scene.pair.access) is None


@pytest.mark.parametrize(("body", "media_type"), MALFORMED, ids=MALFORMED_NAMES)
def test_a_malformed_request_is_told_so_in_the_one_form(scene: Scene, body: bytes, media_type: str) -> None:
    """C5: bad input is always a 4xx."""
    answer = scene.server.send(REVOKE, body, content_type=media_type)
    assert (answer.status, answer.error_type) in {(400, "malformed_request"), (400, "validation_error")}
