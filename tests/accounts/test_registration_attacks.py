"""A stranger gains nothing by registering somebody else's address."""

import pytest

from apps.customers.models import Customer
from apps.mail.models import Message, MessageState
from apps.signin.models import Password
from apps.users.models import User
from tests import factories
from tests.accounts.registering import STRANGERS, quick, register, verify
from tests.conftest import MakeClient
from tests.otp.reading import code_of, newest_code
from tests.signin.entering import EMAIL, PASSWORD, enrol_app, login, member

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_stranger_sets_no_password_on_an_address_that_is_proven_by_signing_in_by_code(client_for: MakeClient) -> None:
    """Pre-hijacking: register a victim's address, wait for the victim."""
    client = client_for(quick())
    register(client, STRANGERS)
    client.request_otp(EMAIL)
    assert client.verify_otp(EMAIL, newest_code()).status == 200
    assert login(client, STRANGERS).status == 401


def test_of_two_who_register_one_address_the_owner_of_the_mailbox_gets_it(client_for: MakeClient) -> None:
    customer = quick()
    client, stranger = client_for(customer), client_for(customer, ip="198.51.100.66")
    register(stranger, STRANGERS, name="Eve")
    register(client, PASSWORD, name="Ada")
    register(stranger, STRANGERS, name="Eve")
    mine = code_of(Message.objects.order_by("id")[1])
    assert verify(client, mine, password=PASSWORD).status == 200
    assert login(client, STRANGERS).status == 401
    assert login(client).document["user"]["name"] == "Ada"


@pytest.mark.parametrize("given", ["", PASSWORD])
def test_entering_the_code_of_a_stranger_who_registered_in_between_sets_no_password(
    client_for: MakeClient, given: str
) -> None:
    """Two code mails lie in the owner's mailbox, and the newer one is the stranger's."""
    customer = quick()
    client, stranger = client_for(customer), client_for(customer, ip="198.51.100.66")
    register(client, PASSWORD)
    register(stranger, STRANGERS)
    assert verify(client, newest_code(), password=given).status == 200
    assert login(stranger, STRANGERS).status == 401
    assert not Password.objects.exists()


def test_who_registers_twice_has_the_password_of_the_code_that_came_back(client_for: MakeClient) -> None:
    client = client_for(quick())
    register(client, "the first try at one")
    register(client, PASSWORD)
    assert verify(client, newest_code()).status == 200
    assert login(client).status == 200


def test_a_code_asked_for_again_does_not_choose_between_two_registrations(client_for: MakeClient) -> None:
    client = client_for(quick())
    register(client, PASSWORD)
    register(client, STRANGERS)
    client.request_otp(EMAIL, purpose="verify_email")
    assert verify(client, newest_code()).status == 200
    assert login(client, STRANGERS).status == 401
    assert not Password.objects.exists()


def test_a_code_asked_for_again_stands_for_the_only_registration(client_for: MakeClient) -> None:
    client = client_for(quick())
    register(client)
    client.request_otp(EMAIL, purpose="verify_email")
    assert verify(client, newest_code()).status == 200
    assert login(client).status == 200


def test_a_code_asked_for_again_confirms_no_stranger_beside_an_imported_user(client_for: MakeClient) -> None:
    """The only registration is the stranger's, but the user existed before it."""
    customer = quick()
    factories.user(customer, EMAIL)
    client = client_for(customer)
    register(client, STRANGERS, name="Eve")
    client.request_otp(EMAIL, purpose="verify_email")
    verified = verify(client, newest_code())
    assert (verified.status, verified.document["user"]["name"]) == (200, "")
    assert login(client, STRANGERS).status == 401


def test_after_too_many_wrong_codes_none_is_sent_and_none_opens(client_for: MakeClient) -> None:
    """C6: 100 wrong codes in a row, then no codes until somebody clears it."""
    client = client_for(quick())
    register(client)
    code = newest_code()
    User.objects.update(wrong_codes=100)
    assert verify(client, code).error_type == "invalid_otp"
    assert register(client).status == 202
    assert Message.objects.order_by("-id")[0].state == MessageState.SUPPRESSED
    assert User.objects.get().email_verified_at is None


def test_what_a_stranger_set_before_the_proof_is_gone_after_it(client_for: MakeClient) -> None:
    """Password, second factor and session alike, where a customer lets users in without proof."""
    client = client_for(quick(demands_verified_email=False))
    register(client, STRANGERS)
    stolen = login(client, STRANGERS).document["access_token"]
    enrol_app(User.objects.get())
    register(client, PASSWORD)
    assert login(client, PASSWORD).status == 401, "the address is taken, and not proven to be ours"
    assert verify(client, newest_code()).status == 200
    assert client.get("/api/auth/me", token=stolen).error_type == "session_ended"
    assert login(client, STRANGERS).status == 401
    assert login(client, PASSWORD).document["user"]["email"] == EMAIL


def test_registering_a_taken_address_changes_nothing_and_tells_its_owner(client_for: MakeClient) -> None:
    client = client_for(quick())
    user = member(Customer.objects.exclude(slug="default").get(), name="Ada")
    answer = register(client, STRANGERS, name="Eve")
    assert answer.status == 202
    message = Message.objects.get()
    assert (message.kind, message.recipient, message.state) == ("already_registered", EMAIL, MessageState.QUEUED)
    user.refresh_from_db()
    assert user.name == "Ada"
    assert login(client, STRANGERS).status == 401
    assert login(client).status == 200


def test_a_look_alike_address_does_not_take_an_account(client_for: MakeClient) -> None:
    """ "ß" is not "ss": two mailboxes, and two accounts."""
    client = client_for(quick())
    register(client, STRANGERS, email="strasse@example.com")
    assert verify(client, newest_code(), "strasse@example.com").status == 200
    register(client, PASSWORD, email="straße@example.com")
    assert Message.objects.order_by("-id")[0].recipient == "straße@example.com"
    assert verify(client, newest_code(), "straße@example.com").status == 200
    assert login(client, STRANGERS, "straße@example.com").status == 401
    assert login(client, PASSWORD, "strasse@example.com").status == 401


def test_a_deactivated_user_stays_out(client_for: MakeClient) -> None:
    customer = quick()
    factories.user(customer, EMAIL, status="deactivated")
    client = client_for(customer)
    assert register(client).status == 202
    assert Message.objects.get().state == MessageState.SUPPRESSED
    assert login(client).status == 401
