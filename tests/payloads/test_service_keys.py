"""The service's own pair: made once, sealed, published, rotated."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone
from joserfc.jwk import ECKey

from apps.audit.models import Event
from apps.core import ciphers, sealed
from apps.payloads import service_keys
from apps.payloads.models import ServiceKeyPair
from demo.client import Answer, Client
from tests import factories
from tests.conftest import MakeClient
from tests.races import at_once, outcome

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/api/auth/request-otp"


def keys(client: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.call("GET", "/.well-known/jwks.json").document["keys"]
    return found


def ask(client_for: MakeClient, jwk: dict[str, Any], number: int) -> Answer:
    client = client_for(factories.customer(), public_jwk=jwk)
    return client.before_sign_in(PATH, {"email": f"user-{number}@example.com"})


def test_the_published_set_is_for_encryption(client_for: MakeClient) -> None:
    """C2.1.1, C2.1.2: use enc, P-256, kid = the RFC 7638 thumbprint, nothing private."""
    answer = client_for(None).call("GET", "/.well-known/jwks.json")
    (key,) = answer.document["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "use", "alg", "kid"}
    assert (key["kty"], key["crv"], key["use"], key["alg"]) == ("EC", "P-256", "enc", "ECDH-ES")
    assert key["kid"] == ECKey.import_key(key).thumbprint()
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert answer.headers["access-control-allow-origin"] == "*"


def test_the_set_is_only_read(client_for: MakeClient) -> None:
    answer = client_for(None).call("POST", "/.well-known/jwks.json", b"{}")
    assert (answer.status, answer.error_type) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.race
def test_of_many_first_starts_one_makes_the_pair() -> None:
    """C2.1.1: generated on first start."""
    assert not ServiceKeyPair.objects.exists()
    found = at_once(16, lambda _: service_keys._load()[0].kid)
    assert set(found) == {ServiceKeyPair.objects.get().kid}


def test_who_comes_second_at_the_first_start_takes_the_pair_that_is_there() -> None:
    (first,) = service_keys.pairs()
    service_keys._create_first()
    assert [pair.kid for pair in service_keys._load()] == [first.kid]


def test_the_private_key_is_kept_encrypted() -> None:
    """C2.1.1, C2.4.1: sealed to its row."""
    (pair,) = service_keys.pairs()
    row = ServiceKeyPair.objects.get()
    assert "d" not in row.public_jwk
    private = ECKey.import_key(pair.private_key).as_dict(private=True)["d"]
    assert private.encode() in sealed.read(row, "private_jwk")
    assert private not in row.private_jwk
    moved = ServiceKeyPair(kid="other", public_jwk={}, private_jwk=row.private_jwk, created_at=timezone.now())
    with pytest.raises(ciphers.DecryptionFailed):
        sealed.read(moved, "private_jwk")


def test_the_command_rotates_and_the_old_pair_works_for_the_overlap(client_for: MakeClient) -> None:
    """C2.1.1, C2.1.2: rotated by a command."""
    (old,) = keys(client_for(None))
    out = StringIO()
    call_command("rotate_service_key", "--overlap-days", "2", stdout=out)
    (new,) = keys(client_for(None))
    assert new["kid"] != old["kid"]
    assert new["kid"] in out.getvalue()
    for number, jwk in enumerate((new, old)):
        assert ask(client_for, jwk, number).status == 200
    retires = ServiceKeyPair.objects.get(kid=old["kid"]).retires_at
    assert retires is not None
    assert abs(retires - timezone.now() - timedelta(days=2)) < timedelta(minutes=1)
    assert Event.objects.get(action="service_key_rotated").details == {"kid": new["kid"]}


def test_after_its_overlap_the_old_pair_decrypts_nothing(client_for: MakeClient) -> None:
    """C2.1.2"""
    (old,) = keys(client_for(None))
    call_command("rotate_service_key", "--overlap-days", "0", stdout=StringIO())
    answer = ask(client_for, old, 1)
    assert (answer.status, answer.error_type) == (400, "decryption_failed")


def test_a_pair_made_by_another_process_is_found_at_its_first_use(client_for: MakeClient) -> None:
    """C2.1.2: a kid that is not known is looked for, at most once a second."""
    keys(client_for(None))
    elsewhere = ServiceKeyPair.objects.get()
    ServiceKeyPair.objects.update(retires_at=timezone.now() + timedelta(days=1))
    row = service_keys._insert(timezone.now())
    assert [pair.kid for pair in service_keys.pairs()] == [elsewhere.kid]  # as this process remembers
    service_keys._Remembered.until -= 2  # two seconds later
    assert ask(client_for, {**row.public_jwk, "kid": row.kid}, 1).status == 200
    assert keys(client_for(None))[0]["kid"] == row.kid


def test_unknown_kids_cannot_make_the_database_busy(django_assert_num_queries: Any) -> None:
    service_keys.pairs()
    service_keys._Remembered.until += 60  # they were read a moment ago, however slow this machine is
    with django_assert_num_queries(0):
        for number in range(100):
            service_keys.pairs(wanted=f"unknown-{number}")


def test_there_is_one_current_pair_whatever_happens() -> None:
    service_keys.pairs()
    with pytest.raises(IntegrityError), transaction.atomic():
        service_keys._insert(timezone.now())
    assert ServiceKeyPair.objects.filter(retires_at=None).count() == 1


@pytest.mark.race
def test_of_many_rotations_at_once_each_is_whole_or_refused() -> None:
    service_keys.pairs()
    results = at_once(8, lambda _: outcome(lambda: call_command("rotate_service_key", stdout=StringIO())), threads=8)
    assert set(results) <= {"done", "CommandError"}
    assert ServiceKeyPair.objects.count() == 1 + results.count("done") > 1
    assert ServiceKeyPair.objects.filter(retires_at=None).count() == 1
    assert Event.objects.filter(action="service_key_rotated").count() == results.count("done")


@pytest.mark.parametrize("days", ["-1", "366"])
def test_an_overlap_out_of_range_is_refused(days: str) -> None:
    with pytest.raises(CommandError, match="from 0 to 365"):
        call_command("rotate_service_key", f"--overlap-days={days}")
