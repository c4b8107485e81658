"""Users who wait for an operator: which they are, and the mail that tells operators of them."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User as Operator
from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse

from apps.approvals.models import CheckState, IdentityCheck
from apps.customers import operator_mails
from apps.customers.operator_mails import OperatorDraft, OperatorMail
from apps.users.models import User, UserStatus

PERMISSION = "approvals.change_identitycheck"
NOT_AGAIN_WITHIN = timedelta(minutes=10)
BATCH, NAMES_SHOWN = 500, 5


def open_missing(*, now: datetime) -> int:
    """Open checks for users who wait for nothing else: a policy has changed, or demands no proven address. Returns how many."""
    proven = Q(email_verified_at__isnull=False) | Q(customer__demands_verified_email=False)
    users = User.objects.filter(proven, status=UserStatus.PENDING, customer__demands_approval=True, identity_check=None)
    rows = [IdentityCheck(user=user, customer_id=user.customer_id, created_at=now) for user in users[:BATCH]]
    return len(IdentityCheck.objects.bulk_create(rows, ignore_conflicts=True))


def for_operators() -> QuerySet[IdentityCheck]:
    """Checks for operators: of customers with no outside check, or with no secret to sign its requests yet."""
    nobody_outside = Q(customer__identity_check_url="") | Q(customer__identity_check_secret="")
    return IdentityCheck.objects.filter(nobody_outside, state=CheckState.WAITING)


def tell_operators(*, now: datetime) -> int:
    """Mail each operator who may approve, about all users who have come to wait; at most every ten minutes. Returns how many."""
    with transaction.atomic():
        if IdentityCheck.objects.filter(operators_told_at__gt=now - NOT_AGAIN_WITHIN).exists():
            return 0
        untold = for_operators().filter(operators_told_at=None).select_for_update(of=("self",), skip_locked=True)
        checks = list(untold.select_related("customer")[:BATCH])
        if checks:
            _post(checks, now)
            IdentityCheck.objects.filter(pk__in=[check.pk for check in checks]).update(operators_told_at=now)
    return len(checks)


def _post(checks: list[IdentityCheck], now: datetime) -> None:
    """To each operator about those whom it may approve, and about no other customer's."""
    for operator in operator_mails.readers():
        mine = [check for check in checks if operator.has_perm(PERMISSION, check)]
        if mine:
            _post_to(operator, mine, now)


def _post_to(operator: Operator, checks: list[IdentityCheck], now: datetime) -> None:
    names = sorted({check.customer.name for check in checks})
    shown = ", ".join(names[:NAMES_SHOWN]) + (", …" if len(names) > NAMES_SHOWN else "")
    facts = {
        "count": len(checks),
        "customers": shown,
        "admin_link": settings.PUBLIC_URL + reverse("admin:approvals_identitycheck_changelist"),
    }
    address = operator_mails.address_of(operator)
    operator_mails.post(OperatorDraft(kind=OperatorMail.USERS_WAITING, address=address, facts=facts), now=now)
