"""What each operation costs: SQL statements, transactions, and round trips to Valkey, in every shape that a success may have.

The process has just forgotten all that it remembers of customers, users and sessions: one that knows them asks less. A change of a
number is a decision, not an accident.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test.client import ClientHandler

from tests.conftest import MakeClient
from tests.contract import documented
from tests.contract.ways import WAYS, Place, Way
from tests.remembering import forget_everything, forget_what_was_noted
from tests.roundtrips import Cost, counted

pytestmark = pytest.mark.django_db(transaction=True)
Numbers = tuple[int, int, int]  # statements, transactions, round trips
COSTS: dict[str, Numbers] = {
    "DELETE /api/auth/2fa/passkeys/{passkey_id}": (13, 1, 2),
    "DELETE /api/auth/2fa/recovery-codes": (11, 1, 2),
    "DELETE /api/auth/2fa/sms": (12, 1, 2),
    "DELETE /api/auth/2fa/totp": (12, 1, 2),
    "DELETE /api/auth/me": (48, 1, 2),
    "DELETE /api/auth/sessions": (3, 1, 1),
    "DELETE /api/auth/sessions/{session_id}": (6, 1, 1),
    "DELETE /api/customer/clients/{client_id}": (10, 1, 1),
    "DELETE /api/files/{file_id}": (5, 1, 1),
    "GET /.well-known/oauth-authorization-server/customers/{slug}": (1, 0, 0),
    "GET /api/auth/2fa none": (8, 0, 1),
    "GET /api/auth/2fa of every kind": (8, 0, 1),
    "GET /api/auth/cookie-session": (2, 0, 1),
    "GET /api/auth/me": (2, 0, 1),
    "GET /api/auth/me/export a section": (5, 0, 1),
    "GET /api/auth/me/export": (23, 0, 1),
    "GET /api/auth/reauthenticate": (5, 0, 1),
    "GET /api/auth/sessions": (3, 0, 1),
    "GET /api/customer/clients": (3, 0, 1),
    "GET /api/customer/clients/{client_id}": (3, 0, 1),
    "GET /api/files": (3, 0, 1),
    "GET /api/files/{file_id}": (3, 0, 1),
    "GET /api/files/{file_id}/content": (4, 0, 1),
    "GET /api/oauth/userinfo": (2, 0, 0),
    "GET /api/sandbox/messages": (2, 0, 1),
    "GET /customers/{slug}/.well-known/jwks.json": (2, 0, 0),
    "GET /customers/{slug}/.well-known/openid-configuration": (2, 0, 0),
    "GET /verify": (1, 0, 0),
    "PATCH /api/auth/2fa/passkeys/{passkey_id}": (6, 1, 1),
    "PATCH /api/auth/me": (7, 1, 1),
    "PATCH /api/customer/clients/{client_id}": (12, 2, 1),
    "POST /api/auth/2fa/enrol a passkey": (5, 0, 3),
    "POST /api/auth/2fa/enrol a phone": (9, 1, 4),
    "POST /api/auth/2fa/enrol an app": (7, 1, 2),
    "POST /api/auth/2fa/passkeys": (13, 1, 3),
    "POST /api/auth/2fa/passkeys/options": (4, 0, 2),
    "POST /api/auth/2fa/recovery-codes": (12, 1, 2),
    "POST /api/auth/2fa/send a passkey": (5, 0, 3),
    "POST /api/auth/2fa/send by SMS": (6, 0, 4),
    "POST /api/auth/2fa/send by email": (5, 0, 4),
    "POST /api/auth/2fa/sms": (8, 1, 3),
    "POST /api/auth/2fa/sms/confirm": (15, 1, 5),
    "POST /api/auth/2fa/totp": (6, 1, 1),
    "POST /api/auth/2fa/totp/confirm": (13, 1, 3),
    "POST /api/auth/2fa/verify and enrol": (13, 1, 5),
    "POST /api/auth/2fa/verify enrolled on the way": (24, 1, 6),
    "POST /api/auth/2fa/verify the next challenge": (11, 1, 5),
    "POST /api/auth/2fa/verify with cookies": (14, 1, 3),
    "POST /api/auth/2fa/verify": (14, 1, 3),
    "POST /api/auth/change-email": (11, 1, 4),
    "POST /api/auth/change-email/confirm": (17, 1, 4),
    "POST /api/auth/change-email/undo": (23, 1, 4),
    "POST /api/auth/change-password": (17, 1, 3),
    "POST /api/auth/forgot-password": (4, 1, 4),
    "POST /api/auth/introspect a refresh token": (4, 0, 1),
    "POST /api/auth/introspect an access token": (3, 0, 1),
    "POST /api/auth/introspect no token": (2, 0, 1),
    "POST /api/auth/login a challenge": (7, 1, 3),
    "POST /api/auth/login with cookies": (10, 1, 3),
    "POST /api/auth/login": (10, 1, 3),
    "POST /api/auth/logout": (3, 0, 1),
    "POST /api/auth/passkey/options": (1, 0, 3),
    "POST /api/auth/passkey/verify with cookies": (10, 1, 3),
    "POST /api/auth/passkey/verify": (10, 1, 3),
    "POST /api/auth/reauthenticate with cookies": (15, 1, 2),
    "POST /api/auth/reauthenticate": (15, 1, 2),
    "POST /api/auth/reauthenticate/send a passkey": (5, 0, 2),
    "POST /api/auth/reauthenticate/send by SMS": (8, 0, 3),
    "POST /api/auth/refresh with cookies": (3, 0, 1),
    "POST /api/auth/refresh": (3, 0, 1),
    "POST /api/auth/register": (6, 1, 4),
    "POST /api/auth/request-otp": (3, 0, 4),
    "POST /api/auth/reset-password": (15, 1, 4),
    "POST /api/auth/revoke": (7, 1, 1),
    "POST /api/auth/signup": (20, 1, 5),
    "POST /api/auth/verify-email": (24, 1, 4),
    "POST /api/auth/verify-otp a challenge": (9, 1, 4),
    "POST /api/auth/verify-otp with cookies": (11, 1, 4),
    "POST /api/auth/verify-otp": (11, 1, 4),
    "POST /api/customer/clients public": (5, 1, 1),
    "POST /api/customer/clients": (5, 1, 1),
    "POST /api/customer/clients/{client_id}/rotate-secret": (6, 1, 1),
    "POST /api/files": (6, 1, 1),
    "POST /api/identity-checks/{check_id}": (12, 1, 1),
    "POST /api/internal/verify-user": (3, 0, 1),
    "POST /api/oauth/revoke": (9, 1, 0),
    "POST /api/oauth/token for a code without scopes": (13, 1, 0),
    "POST /api/oauth/token for a code": (13, 1, 0),
    "POST /api/oauth/token for a refresh token": (6, 0, 0),
    "POST /api/oauth/userinfo": (2, 0, 0),
    "PUT /api/files/{file_id}/content": (9, 1, 1),
}


@pytest.fixture
def last(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Cost]]:
    """What the last call of each operation has cost, whoever sent it."""
    found: dict[str, Cost] = {}
    handle = ClientHandler.__call__

    def measured(self: ClientHandler, environ: dict[str, Any]) -> Any:
        forget_everything()
        forget_what_was_noted()
        with counted() as cost:
            answer = handle(self, environ)
        found[str(documented.operation_of(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"))] = cost
        return answer

    monkeypatch.setattr(ClientHandler, "__call__", measured)
    yield found


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_an_operation_costs_no_more_and_no_less(
    client_for: MakeClient, last: dict[str, Cost], settings: Any, way: Way
) -> None:
    settings.SMS_BACKEND = "apps.mail.sms_transports.Console"
    place = Place(client_for)
    place.client.request_otp("warm@example.com")  # the first mail of a process connects to the broker
    way.go(place)
    cost = last[way.operation]
    assert (len(cost.statements), cost.transactions, cost.round_trips) == COSTS[way.name], "\n".join(cost.statements)


def test_every_way_has_its_costs() -> None:
    assert set(COSTS) == {way.name for way in WAYS}
