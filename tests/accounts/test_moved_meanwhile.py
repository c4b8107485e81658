"""The address of an account changes while somebody signs in by the old mailbox: the old mailbox no longer works."""

import pytest

from apps.accounts.models import ResetToken
from apps.customers import links
from apps.mail.models import Message, MessageState
from apps.tokens.models import Session
from apps.users.models import User
from demo.client import Client
from tests import factories, meanwhile
from tests.accounts.moving import NEW, ask, confirm
from tests.accounts.recovering import forgot, reset
from tests.conftest import MakeClient
from tests.meanwhile import Intruder
from tests.otp.reading import newest_code
from tests.signin.entering import EMAIL, enrol_app, generous, member

pytestmark = pytest.mark.django_db(transaction=True)


class Moving:
    """A user with a code for a new address in hand, who confirms it from a client of its own."""

    def __init__(self, client_for: MakeClient, **policy: object) -> None:
        self.customer = generous(code_resend_after=0, **policy)
        self.user = member(self.customer)
        self.client: Client = client_for(self.customer, ip="198.51.100.5")
        self.token = factories.session(self.user).access
        assert ask(self.client, self.token).status == 202
        self._code = newest_code()

    def move(self) -> None:
        assert confirm(self.client, self.token, self._code).status == 200

    @property
    def is_done(self) -> bool:
        return User.objects.get(id=self.user.id).email == NEW


def test_no_link_goes_to_the_mailbox_that_is_just_being_left(client_for: MakeClient) -> None:
    moving = Moving(client_for)
    with meanwhile.uncommitted(moving.move):
        assert forgot(client_for(moving.customer)).status == 200
    assert moving.is_done
    assert Message.objects.get(kind="password_reset").state == MessageState.SUPPRESSED
    assert ResetToken.objects.get().user is None


def test_a_link_that_is_just_being_written_is_worthless_after_the_change(
    client_for: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    moving, to = Moving(client_for), links.to
    changing, tokens = Intruder(moving.move), []

    def interrupted(*args: object, **options: object) -> str:
        monkeypatch.setattr(links, "to", to)
        tokens.append(str(options["token"]))
        changing.begin()
        return to(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(links, "to", interrupted)
    client = client_for(moving.customer)
    assert forgot(client).status == 200
    changing.result()
    assert moving.is_done
    assert reset(client, tokens[0]).error_type == "invalid_reset_token"
    assert Message.objects.get(kind="password_reset").state == MessageState.SUPPRESSED, "it has not gone out either"


@pytest.mark.parametrize("has_app", [False, True])
def test_a_code_for_signing_in_at_the_mailbox_that_is_just_being_left_opens_nothing(
    client_for: MakeClient, has_app: bool
) -> None:
    moving = Moving(client_for, creates_users_on_sign_in=False)
    if has_app:
        enrol_app(moving.user)
    client = client_for(moving.customer)
    client.request_otp(EMAIL)
    code = newest_code()
    with meanwhile.uncommitted(moving.move):
        refused = client.verify_otp(EMAIL, code)
    assert (refused.status, refused.error_type) == (400, "invalid_otp")
    assert moving.is_done
    assert Session.objects.count() == 1, "the one that has moved"


def test_nor_does_it_make_a_new_account_there_where_anybody_may_come_in(client_for: MakeClient) -> None:
    moving = Moving(client_for)
    client = client_for(moving.customer)
    client.request_otp(EMAIL)
    code = newest_code()
    with meanwhile.uncommitted(moving.move):
        entered = client.verify_otp(EMAIL, code)
    assert moving.is_done
    assert entered.error_type == "invalid_otp"
    assert not User.objects.filter(email=EMAIL).exists()
