"""How often operators may try to sign in.

A stranger locks nobody out. A browser in which the operator has signed in before is counted by itself (OWASP, "Slow Down
Online Guessing Attacks with Device Cookies"). All others are counted by network, and by name and network. When a name is guessed
at from many networks, each of them gets fewer attempts and operators are alerted; nobody else's attempts are used up.
Second factors are counted only after the right password, so that nobody without it can use them up.
"""

from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest
from django_otp import match_token

from apps.audit import actions
from apps.audit.models import Outcome, Severity
from apps.core.client_address import counted_as
from apps.core.errors import RateLimited
from apps.core.rate_limits import Limit
from apps.core.requests import address_of
from apps.operators.sign_in import attempt_counter, known_browsers, sign_in_events
from apps.operators.sign_in.attempt_counter import Counted
from apps.operators.team import usernames

QUARTER, HOUR, DAY = 15 * 60, 60 * 60, 24 * 60 * 60
PER_BROWSER = Limit("operator_tries_per_browser", 10, QUARTER)
PER_NETWORK = Limit("operator_tries_per_network", 20, QUARTER)
PER_NAME_AND_NETWORK = Limit("operator_tries_per_name_and_network", 10, QUARTER)
PER_NAME = Limit("operator_tries_per_name", 50, HOUR)  # more means guessing from many networks; then this applies:
GUESSED_NAME_PER_NETWORK = Limit("operator_tries_per_guessed_name_and_network", 2, HOUR)
PER_FACTOR = Limit("operator_codes", 5, QUARTER)
PER_FACTOR_AND_DAY = Limit("operator_codes_per_day", 50, DAY)
LINKS_ASKED_PER_NETWORK = Limit("operator_links_asked_per_network", 10, HOUR)
LINKS_SENT_PER_ADDRESS = Limit("operator_links_sent_per_address", 3, HOUR)
LINKS_TRIED_PER_NETWORK = Limit("operator_links_tried_per_network", 30, QUARTER)
TO_PROVIDER_PER_NETWORK = Limit("operator_ways_to_provider_per_network", 60, QUARTER)
PER_PASSWORD = Limit("operator_passwords_again", 5, QUARTER)  # of somebody signed in, before a grave change


def count(request: HttpRequest, name: str) -> Counted:
    """Count this attempt before anything is compared. A known browser is counted by itself alone."""
    browser = _browser_of(request, name)
    if browser:
        counted = attempt_counter.count({PER_BROWSER: (browser, usernames.plain(name))})
    else:
        who, network = usernames.plain(name), counted_as(address_of(request))
        counted = attempt_counter.count({PER_NETWORK: (network,)})
        if not counted.over(PER_NETWORK):  # a refused network must not fill the table with names
            counted += attempt_counter.count(
                {
                    PER_NAME_AND_NETWORK: (who, network),
                    PER_NAME: (who,),
                    GUESSED_NAME_PER_NETWORK: (who, network),
                }
            )
    _record_first_refusals(request, name, counted)
    return counted


def is_too_often(attempt: Counted) -> bool:
    """When a name is guessed at from many networks, each of them is left the same few attempts."""
    by_itself = (PER_BROWSER, PER_NETWORK, PER_NAME_AND_NETWORK)
    is_guessed = attempt.over(PER_NAME) and attempt.over(GUESSED_NAME_PER_NETWORK)
    return is_guessed or any(map(attempt.over, by_itself))


def check_code(request: HttpRequest, operator: User, code: str) -> Any:
    """The operator's device that the code belongs to, with the code used up. None if it is wrong, or after too many codes."""
    counted = count_factor(request, operator)
    device = match_token(operator, code) if code and counted else None
    if device is not None and counted:
        counted.give_back()
    return device


def count_factor(request: HttpRequest, operator: User) -> Counted | None:
    """Count one try of a second factor, to be given back if it was right. None after too many.

    A known browser is counted by itself: somebody who knows only the password cannot block it.
    """
    subject = _subject(request, operator)
    counted = attempt_counter.count({PER_FACTOR: subject, PER_FACTOR_AND_DAY: subject})
    limits = (PER_FACTOR, PER_FACTOR_AND_DAY)
    if any(map(counted.just_over, limits)):
        _record_guessing(request, operator.get_username(), "second factor")
    return None if any(map(counted.over, limits)) else counted


def check_password(request: HttpRequest, operator: User, password: str) -> bool:
    """Whether this is the password of the operator, who is signed in. False after too many tries, too."""
    counted = attempt_counter.count({PER_PASSWORD: _subject(request, operator)})
    if counted.just_over(PER_PASSWORD):
        _record_guessing(request, operator.get_username(), "password")
    is_right = not counted.over(PER_PASSWORD) and operator.check_password(password)
    if is_right:
        counted.give_back()
    return is_right


def may_ask_for_links(request: HttpRequest) -> bool:
    """Counts one question for a link."""
    return _is_within(LINKS_ASKED_PER_NETWORK, counted_as(address_of(request)))


def may_be_sent_links(address: str) -> bool:
    """Counts one mail to this address, whether somebody has it or not."""
    return _is_within(LINKS_SENT_PER_ADDRESS, usernames.plain(address))


def may_try_links(request: HttpRequest) -> bool:
    """Counts one try of a link. Raises RateLimited when there were too many."""
    limit = LINKS_TRIED_PER_NETWORK
    if not _is_within(limit, counted_as(address_of(request))):
        raise RateLimited
    return True


def may_go_to_provider(request: HttpRequest) -> bool:
    """Counts one way to the provider: each leaves a session behind."""
    return _is_within(TO_PROVIDER_PER_NETWORK, counted_as(address_of(request)))


def _is_within(limit: Limit, subject: str) -> bool:
    return not attempt_counter.count({limit: (subject,)}).over(limit)


def _subject(request: HttpRequest, operator: User) -> tuple[str, str]:
    return str(operator.pk), known_browsers.known_to(request, operator.pk) or "elsewhere"


def _browser_of(request: HttpRequest, name: str) -> str | None:
    if known_browsers.COOKIE not in request.COOKIES:
        return None
    operator = usernames.find(name)
    return known_browsers.known_to(request, operator.pk) if operator else None


def _record_first_refusals(request: HttpRequest, name: str, counted: Counted) -> None:
    """One event for each limit and window. Further refusals tell nothing new."""
    if counted.just_over(PER_NAME):
        _record_guessing(request, name, "password")
    for limit in (PER_BROWSER, PER_NETWORK, PER_NAME_AND_NETWORK):
        if counted.just_over(limit):
            sign_in_events.record(
                actions.OPERATOR_SIGN_IN_FAILED, request, name, Outcome.DENIED, Severity.MEDIUM, limit=limit.name
            )


def _record_guessing(request: HttpRequest, name: str, what: str) -> None:
    sign_in_events.record(actions.OPERATOR_GUESSING, request, name, Outcome.DENIED, Severity.HIGH, what=what)
