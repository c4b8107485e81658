"""C6: operators' sign-in is limited without Valkey, exactly, and so that no stranger can lock anybody out."""

from datetime import timedelta

import pytest
from django.contrib.auth.hashers import get_hasher
from django.test import Client, RequestFactory
from django.utils import timezone

from apps.audit.models import Event
from apps.operators.models import AttemptCount
from apps.operators.sign_in import attempt_counter, known_browsers, sign_in_limits
from apps.operators.sign_in.form import OperatorSignInForm
from apps.operators.sign_in.sign_in_limits import PER_NAME
from tests import factories, races
from tests.operators.enrolling import app_of, code_of, wrong_code_of
from tests.operators.signing_in import LOGIN, PASSWORD, is_in, operator, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


def wrong(times: int, *, name: str = "ops@example.com", ip: str = "192.0.2.1") -> None:
    """By the form alone: a page that nobody reads takes most of such an attempt."""
    for _ in range(times):
        request = RequestFactory(REMOTE_ADDR=ip).post(LOGIN)
        assert not OperatorSignInForm(request, {"username": name, "password": "wrong"}).is_valid()


def known_browser(ip: str = "192.0.2.1") -> Client:
    """A browser in which the operator has signed in before, and signed out."""
    browser = sign_in(ip=ip)
    assert is_in(browser)
    browser.post("/admin/logout/")
    assert not is_in(browser)
    return browser


def enter(browser: Client, *, code: str = "", password: str = PASSWORD, name: str = "ops@example.com") -> bool:
    browser.post(LOGIN, {"username": name, "password": password, "code": code, "next": "/admin/"})
    return is_in(browser)


def let_windows_end() -> None:
    AttemptCount.objects.update(ends_at=timezone.now() - timedelta(seconds=1))


@pytest.fixture(autouse=True)
def cheap_passwords(settings: object) -> None:
    """The tests here are about how often one may try, not about slow hashing."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # type: ignore[attr-defined]


def test_ten_wrong_passwords_from_one_network_are_enough_for_it() -> None:
    operator()
    for _ in range(10):
        sign_in(password="wrong")
    assert not is_in(sign_in())
    page = Client(REMOTE_ADDR="192.0.2.1").post(
        LOGIN, {"username": "ops@example.com", "password": PASSWORD, "code": ""}
    )
    assert "Too many attempts" in page.content.decode()
    let_windows_end()
    assert is_in(sign_in())


def test_a_stranger_elsewhere_locks_nobody_out() -> None:
    operator()
    wrong(15, ip="203.0.113.9")
    assert is_in(sign_in(ip="192.0.2.1"))


def test_an_ipv6_network_counts_as_one() -> None:
    operator()
    for number in range(10):
        wrong(1, ip=f"2001:db8::{number:x}")
    assert not is_in(sign_in(ip="2001:db8::ffff"))
    assert is_in(sign_in(ip="2001:db8:0:1::1"))


def test_a_network_is_limited_over_all_names() -> None:
    operator()
    for number in range(20):
        wrong(1, name=f"somebody{number}@example.com")
    assert not is_in(sign_in())
    assert is_in(sign_in(ip="198.51.100.1"))


def test_no_case_or_spelling_of_a_name_is_a_name_of_its_own() -> None:
    operator()
    spellings = ["OPS@example.com", "Ops@Example.com", "ops@EXAMPLE.com", " ops@example.com", "\uff4fps@example.com"]
    for spelling in spellings * 2:
        wrong(1, name=spelling)
    assert not is_in(sign_in())


def test_guessing_from_many_networks_is_slowed_and_told_and_still_locks_nobody_out() -> None:
    operator()
    for number in range(PER_NAME.count // 5 + 1):
        wrong(5, ip=f"203.0.113.{number}")
    events = Event.objects.filter(action="operator_guessing")
    assert [(event.severity, event.outcome, event.details) for event in events] == [
        ("high", "denied", {"what": "password"})
    ]
    for number in (200, 201):  # each further network now has two attempts an hour
        wrong(2, ip=f"203.0.113.{number}")
        assert not is_in(sign_in(ip=f"203.0.113.{number}"))
    assert is_in(sign_in(ip="192.0.2.1"))


def test_a_browser_that_the_operator_has_used_before_is_not_counted_with_strangers() -> None:
    operator()
    browser = known_browser()
    wrong(25)  # from the very same network
    assert not is_in(sign_in())
    assert enter(browser)


def test_a_known_browser_is_limited_too() -> None:
    operator()
    browser = known_browser()
    for _ in range(10):
        assert not enter(browser, password="wrong")
    assert not enter(browser)
    assert is_in(sign_in(ip="198.51.100.1"))


def test_a_browser_is_known_as_the_operators_who_used_it_and_nobody_elses() -> None:
    operator()
    operator("other@example.com")
    browser = known_browser()
    wrong(20)
    assert not enter(browser, name="other@example.com")
    assert enter(browser)


def test_two_operators_may_share_a_browser() -> None:
    operator()
    operator("other@example.com")
    browser = known_browser()
    assert enter(browser, name="other@example.com")
    browser.post("/admin/logout/")
    wrong(20)
    assert enter(browser)


@pytest.mark.parametrize("forged", ["", "x", "a:b:c", "WzEsWzFdXQ:1tX:x"])
def test_a_forged_cookie_makes_no_browser_known(forged: str) -> None:
    operator()
    wrong(20)
    stranger = Client(REMOTE_ADDR="192.0.2.1")
    stranger.cookies[known_browsers.COOKIE] = forged
    assert not enter(stranger)


def test_the_cookie_is_for_the_admin_alone_and_not_for_scripts() -> None:
    operator()
    cookie = sign_in().cookies[known_browsers.COOKIE]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/admin/", True, "Lax")
    assert "ops@example.com" not in cookie.value


def test_a_failed_sign_in_makes_no_browser_known() -> None:
    operator()
    assert known_browsers.COOKIE not in sign_in(password="wrong").cookies


def test_a_right_sign_in_does_not_count() -> None:
    operator()
    for _ in range(12):
        assert is_in(sign_in())


def test_codes_are_counted_only_after_the_right_password() -> None:
    """Without the password nobody can use up an operator's tries of the second factor."""
    device = app_of(operator())
    for number in range(8):
        sign_in(password="wrong", code="000000", ip=f"203.0.113.{number}")
    assert is_in(sign_in(code=code_of(device)))


def test_who_knows_the_password_alone_has_five_codes_and_is_told_nothing() -> None:
    device = app_of(operator())
    pages = [
        Client(REMOTE_ADDR=f"203.0.113.{number}").post(
            LOGIN, {"username": "ops@example.com", "password": PASSWORD, "code": wrong_code_of(device)}
        )
        for number in range(6)
    ]
    assert not is_in(sign_in(code=code_of(device)))
    wrong_password = Client().post(LOGIN, {"username": "ops@example.com", "password": "wrong", "code": "000000"})
    errors = {str(page.context["form"].non_field_errors()) for page in (*pages, wrong_password)}
    assert len(errors) == 1
    assert Event.objects.filter(action="operator_guessing", details={"what": "second factor"}).count() == 1


def test_who_knows_the_password_alone_cannot_block_the_operators_own_browser() -> None:
    device = app_of(user := operator())
    browser = Client(REMOTE_ADDR="192.0.2.1")
    assert enter(browser, code=code_of(device))
    browser.post("/admin/logout/")
    for number in range(7):
        sign_in(code=wrong_code_of(device), ip=f"203.0.113.{number}")
    assert enter(browser, code=code_of(device, later=1)), user


@pytest.mark.parametrize("name", ["ops@example.com", "nobody@example.com", "gone@example.com", "enduser@example.com"])
def test_all_failures_are_one_answer_and_one_hash(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    operator()
    operator("gone@example.com", is_active=False)
    factories.user(factories.customer(), "enduser@example.com")
    hashed: list[str] = []
    hasher = type(get_hasher())
    plain = hasher.encode

    def encode(self: object, password: str, salt: str) -> str:
        hashed.append(password)
        return str(plain(self, password, salt))  # type: ignore[arg-type]

    monkeypatch.setattr(hasher, "encode", encode)
    page = Client().post(LOGIN, {"username": name, "password": "wrong", "code": ""})
    assert hashed == ["wrong"]
    assert page.context["form"].non_field_errors() == [
        "Email, password or code is not right, or this account may not sign in here."
    ]


def test_a_hundred_at_once_are_counted_as_a_hundred() -> None:
    def once(_number: int) -> int:
        return attempt_counter.count({PER_NAME: ("somebody",)}).counts[PER_NAME]

    assert sorted(races.at_once(100, once)) == list(range(1, 101))


def test_of_many_guesses_at_once_no_more_are_heard_than_may_be() -> None:
    operator()

    def once(_number: int) -> bool:
        page = Client(REMOTE_ADDR="192.0.2.1").post(
            LOGIN, {"username": "ops@example.com", "password": "wrong", "code": ""}
        )
        return "Too many attempts" not in page.content.decode()

    assert sum(races.at_once(24, once, threads=8)) == 10


def test_rows_of_ended_windows_go_and_others_stay() -> None:
    for number in range(20):
        attempt_counter.count({PER_NAME: (f"old{number}",)})
    let_windows_end()
    attempt_counter.count({PER_NAME: ("fresh",)})
    attempt_counter.count({PER_NAME: ("fresh",)})
    assert [row.count for row in AttemptCount.objects.all()] == [2]


def test_what_was_typed_as_a_name_is_not_kept_in_the_counts() -> None:
    """People sometimes type their password into the name field."""
    wrong(1, name="hunter2hunter2")
    assert AttemptCount.objects.exists()
    for row in AttemptCount.objects.all():
        assert b"hunter2" not in bytes(row.key)


def test_a_network_that_is_refused_fills_no_table_with_names() -> None:
    for number in range(sign_in_limits.PER_NETWORK.count + 15):
        wrong(1, name=f"nobody{number}@example.com", ip="198.51.100.9")
    of_network, rows_of_a_name = 1, 3
    assert AttemptCount.objects.count() == of_network + rows_of_a_name * sign_in_limits.PER_NETWORK.count
