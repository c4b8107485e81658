"""Mail goes to exactly the mailbox that was typed, and a code opens only that mailbox's account (C6)."""

from collections.abc import Callable
from itertools import product

import pytest
from django.utils import timezone

from apps.mail import delivery
from apps.mail.models import Message, MessageState
from apps.users.models import User
from demo.client import Client
from tests import factories
from tests.accounts.moving import ask
from tests.accounts.recovering import forgot, mailed_token, reset
from tests.accounts.registering import quick, register
from tests.conftest import MakeClient
from tests.mail.smtp import MailServer
from tests.otp.reading import newest_code
from tests.signin.entering import PASSWORD, login, member

pytestmark = pytest.mark.django_db(transaction=True)

# An administrator's mailbox, and one that looks like it to Python's codec "idna", to `casefold`, or to NFKC.
TWO_MAILBOXES = [
    ("chef@großhandel.example", "chef@grosshandel.example"),
    ("chef@STRAẞE.example", "chef@strasse.example"),
    ("straße@example.com", "strasse@example.com"),
    ("οδος@example.com", "οδοσ@example.com"),
    ("info@βόλος.example", "info@βόλοσ.example"),
]
ENVELOPES = {
    "chef@großhandel.example": "chef@xn--grohandel-i1a.example",
    "chef@STRAẞE.example": "chef@xn--strae-oqa.example",
    "straße@example.com": "straße@example.com",
    "οδος@example.com": "οδος@example.com",
    "info@βόλος.example": "info@xn--nxasmm1c.example",
    "chef@GROSSHANDEL.example": "chef@grosshandel.example",
    "Ada.L+x@Example.com": "Ada.L+x@example.com",
    "संपर्क@डाटामेल.भारत": "संपर्क@xn--c2bd4bq1db8d.xn--h2brj9c",
}


def deliver(server: MailServer) -> tuple[str, str]:
    """Send the newest mail. Where its envelope went, and what its To says, byte by byte."""
    message = Message.objects.order_by("-id")[0]
    delivery.attempt(message.id, now=timezone.now())
    message.refresh_from_db()
    assert message.state == MessageState.SENT, message.last_error
    letter = server.letters[-1]
    (recipient,) = letter.recipients
    (to,) = [line[4:] for line in letter.raw.split(b"\r\n\r\n")[0].decode().splitlines() if line.startswith("To: ")]
    return recipient, to


Ask = Callable[[Client, str, User], object]
KINDS: dict[str, Ask] = {
    "request-otp": lambda client, email, _user: client.request_otp(email),
    "register": lambda client, email, _user: register(client, email=email),
    "forgot-password": lambda client, email, user: (member(user.customer, email), forgot(client, email)),
    "change-email": lambda client, email, user: ask(client, factories.session(user).access, email),
}


@pytest.mark.parametrize(
    ("kind", "typed"), [*product(KINDS, [next(iter(ENVELOPES))]), *product(["request-otp"], [*ENVELOPES][1:])]
)
def test_mail_goes_where_it_was_typed_in_the_envelope_and_in_its_to(
    client_for: MakeClient, mail_server: MailServer, kind: str, typed: str
) -> None:
    """C6."""
    customer = quick()
    user = member(customer)
    KINDS[kind](client_for(customer), typed, user)
    recipient, to = deliver(mail_server)
    assert recipient == ENVELOPES[typed]
    assert to == f"<{ENVELOPES[typed]}>"


@pytest.mark.parametrize("pair", [*TWO_MAILBOXES, *(pair[::-1] for pair in TWO_MAILBOXES)])
def test_the_owner_of_another_mailbox_enters_no_account_but_its_own(
    client_for: MakeClient, pair: tuple[str, str]
) -> None:
    """C6, seen: the owner of grosshandel.example signed in to an administrator's account at großhandel.example."""
    admins, strangers = pair
    customer, other = quick(), quick()
    admin = member(customer, admins, role="admin")
    member(other, admins)
    client = client_for(customer)
    client.request_otp(strangers)
    assert Message.objects.get().recipient == strangers
    code = newest_code()
    assert client.verify_otp(admins, code).error_type == "invalid_otp"
    entered = client.verify_otp(strangers, code).document["user"]
    assert (entered["is_new"], entered["role"], entered["email"]) == (True, "company_user", strangers)
    assert entered["id"] != str(admin.id)


def test_passwords_and_links_of_one_mailbox_are_worth_nothing_at_the_other(client_for: MakeClient) -> None:
    customer = quick()
    one, other = TWO_MAILBOXES[0]
    member(customer, one)
    member(customer, other, "another password altogether")
    client = client_for(customer)
    assert login(client, PASSWORD, one).status == 200
    assert login(client, PASSWORD, other).status == 401
    forgot(client, other)
    assert reset(client, mailed_token(), "a third one, set by mail").status == 200
    assert login(client, PASSWORD, one).status == 200


@pytest.mark.parametrize(
    "alias", ["CHEF@GROẞHANDEL.EXAMPLE", "chef@xn--grohandel-i1a.example", "Chef@großhandel。example"]
)
def test_one_mailbox_has_one_account_however_it_is_written(client_for: MakeClient, alias: str) -> None:
    customer = quick()
    user = member(customer, "chef@großhandel.example")
    client = client_for(customer)
    client.request_otp(alias)
    assert Message.objects.get().recipient == "chef@großhandel.example"
    assert client.verify_otp(alias, newest_code()).document["user"]["id"] == str(user.id)


def test_what_is_nobodys_own_mailbox_is_refused_and_no_mail_goes_anywhere(client_for: MakeClient) -> None:
    """C5: bad input is a clear 4xx."""
    customer = quick()
    client, token = client_for(customer), factories.session(member(customer)).access
    for typed in (
        "ﬁle@example.com",
        "\uff41da@example.com",
        "\u212aim@example.com",
        "ada\uff20example.com",
        "ada@xn--a.example",
    ):
        for answer in (client.request_otp(typed), register(client, email=typed), ask(client, token, typed)):
            assert (answer.status, answer.error_type) == (400, "validation_error")
            assert answer.document["error"]["fields"] == {"email": ["Enter an email address."]}
    assert Message.objects.count() == 0


def test_limits_count_one_mailbox_however_it_is_written(client_for: MakeClient) -> None:
    """C6: counters cannot be evaded by case, dots, plus-tags or the domain's form."""
    customer = quick()
    factories.limit(customer, "codes_per_email", 3)
    client = client_for(customer)
    spellings = ["chef@großhandel.example", "CHEF@GROẞHANDEL.example", "c.hef+1@xn--grohandel-i1a.example"]
    assert [client.request_otp(email).status for email in spellings] == [200, 200, 200]
    refused = client.request_otp("Chef@Großhandel.example")
    assert refused.document["error"]["limit"] == "codes_per_email"
    assert client.request_otp("chef@grosshandel.example").status == 200
