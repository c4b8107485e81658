"""Contents in cookie mode, where the key is the session's; and downloads of users who may no more."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.core.errors import AuthenticationError
from apps.files import content_cipher, places, transfers
from apps.tokens import sessions
from apps.tokens.models import EndReason
from demo import file_stream
from demo.client import STREAM
from tests import factories
from tests.api.authentication.browsing import ORIGIN, Browser
from tests.files.keeping import Place, pdf

pytestmark = pytest.mark.django_db(transaction=True)
LONG = 300_000


def test_in_cookie_mode_a_file_goes_up_and_comes_down_across_a_refresh(client_for: Any, storage: Path) -> None:
    """C2.3.1, C3.8: under the session's own key, which a refresh in another tab does not change; and not without proof."""
    browser = Browser(client_for(factories.customer(allowed_origins=[ORIGIN])))
    browser.sign_in()
    new = {"name": "a.pdf", "purpose": "identity_document", "size": LONG}
    file_id = browser.call("POST", "/api/files", new, **browser.proof).document["id"]
    path, keys = f"/api/files/{file_id}/content", browser.keys
    assert keys is not None
    material = keys.file_material("PUT", path)
    stream = b"".join(file_stream.encrypted([pdf(LONG)], material=material, key_id=keys.kid))
    browser.refresh()
    cookies = {"Cookie": browser._cookies_for(path)}
    without_proof = browser.client.call("PUT", path, stream, headers={**STREAM, **cookies}, keys=keys)
    assert (without_proof.status, without_proof.error_type) == (403, "csrf_failed")
    proof = {"X-CSRF-Token": browser.page["csrf_token"], "Origin": ORIGIN}
    assert browser.client.call("PUT", path, stream, headers={**STREAM, **cookies, **proof}, keys=keys).status == 200
    fetched = browser.client.call("GET", path, headers=cookies, keys=keys)
    material = keys.file_material("GET", path)
    content = b"".join(file_stream.decrypted([fetched.wire], material=material, key_id=keys.kid))
    assert content == pdf(LONG)


def test_a_download_breaks_off_when_its_session_has_ended(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """And gives its place back."""
    file_id = place.keep(pdf(LONG))
    monkeypatch.setattr(transfers, "ASKED_EVERY_SECONDS", 0.0)
    unseal = content_cipher.unseal

    def ending_the_session(*given: Any, **named: Any) -> Iterator[bytes]:
        for number, piece in enumerate(unseal(*given, **named)):
            if number == 2:
                where = {"customer_id": place.customer.id, "user_id": place.user.id, "context": factories.context()}
                sessions.end_all(reason=EndReason.REVOKED, **where)
            yield piece

    monkeypatch.setattr(content_cipher, "unseal", ending_the_session)
    with pytest.raises(AuthenticationError):
        place.fetch(file_id)
    assert not places.of_process(4)._taken, "it has given its place back"
