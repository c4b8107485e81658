"""What operators may do: three roles, each a set of Django's permissions, so that pages go on asking `has_perm`.

Administrators and auditors get what there is, by model, so that a new page needs nothing here. Support gets what is
named. An administrator without limits is Django's superuser: the one who manages operators and what belongs to no customer.
"""

from collections.abc import Collection, Iterator, Mapping
from functools import cache

from django.apps import apps
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.customers.models import Customer
from apps.operators.models import OperatorRole, RoleName
from apps.operators.team import scope

SENTENCES: Mapping[RoleName, Promise] = {
    RoleName.ADMINISTRATOR: _(
        "Everything. Only an administrator without limits manages operators, service keys, and new customers."
    ),
    RoleName.SUPPORT: _(
        "Helps users: sees them, their sessions, mails and why they were refused. Sends codes, ends sessions, clears locks, "
        "approves. No policies, secrets or keys, and deletes nothing."
    ),
    RoleName.AUDITOR: _("Reads everything, with the audit trail and its exports. Changes nothing."),
}
HELP_USERS = "users.help_user"
VERIFY = "audit.verify_event"
OF_SUPPORT = frozenset(
    {
        *("users.view_user", HELP_USERS),
        *("tokens.view_session", "tokens.change_session"),
        *("mail.view_message", "mail.view_ledgerentry", "mail.change_message"),
        *("approvals.view_identitycheck", "approvals.change_identitycheck"),
        *("factors.view_totp", "factors.view_phone", "factors.view_passkey", "factors.view_recoverycode"),
        "audit.view_event",
    }
)
OF_AUDITORS = frozenset({"audit.export_event"})
# What reaches beyond the customers that somebody is limited to.
BEYOND_LIMITS = frozenset({"customers.add_customer", "customers.delete_customer", VERIFY})
READ_BY_UNLIMITED_AUDITORS = frozenset({"auth.view_user", "payloads.view_servicekeypair", VERIFY})


def role_of(operator: User) -> RoleName | None:
    """None: an operator to whom nobody has given a role yet."""
    if operator.is_superuser:
        return RoleName.ADMINISTRATOR
    row: OperatorRole | None = getattr(operator, "team_role", None)
    return RoleName(row.role) if row and row.role else None


@cache
def permissions(role: RoleName, *, is_limited: bool) -> frozenset[str]:
    """What the role may do: Django's names of permissions."""
    if role == RoleName.SUPPORT:
        return OF_SUPPORT
    if role == RoleName.AUDITOR:
        of_installation = frozenset() if is_limited else READ_BY_UNLIMITED_AUDITORS
        return frozenset(_of_models(["view"])) | OF_AUDITORS | of_installation
    return frozenset(_of_models(["view", "add", "change", "delete"], with_own=True)) - BEYOND_LIMITS


def _of_models(kinds: Collection[str], *, with_own: bool = False) -> Iterator[str]:
    """Of every model that leads to a customer. `with_own`: with what a model names besides."""
    for model in filter(scope.path_to_customer, apps.get_models()):
        opts = model._meta
        yield from (f"{opts.app_label}.{kind}_{opts.model_name}" for kind in kinds)
        if with_own:
            yield from (f"{opts.app_label}.{name}" for name, _text in opts.permissions)


def assign(operator: User, role: RoleName, customers: Collection[Customer] | None) -> None:
    """Give a saved operator this role, for these customers; None: for all. Raises LastAdministrator.

    What was given permission by permission goes: a role says all there is.
    """
    with transaction.atomic():
        operator.is_staff, operator.is_superuser = True, role == RoleName.ADMINISTRATOR and customers is None
        operator.save(update_fields=["is_staff", "is_superuser"])
        facts = {"role": role, "is_limited": customers is not None}
        row, _made = OperatorRole.objects.update_or_create(operator=operator, defaults=facts)
        row.customers.set(customers or ())
        operator.user_permissions.clear()
        operator.groups.clear()


def permissions_of(operator: User) -> frozenset[str]:
    """What the operator's role gives. Without a role, nothing."""
    role = role_of(operator)
    return permissions(role, is_limited=not scope.of_operator(operator).is_everything) if role else frozenset()


def has_single_rights(operator: User) -> bool:
    """Whether Django's own tables say what this operator may do: with a row that says for whom, and names no role."""
    row: OperatorRole | None = getattr(operator, "team_role", None)
    return row is not None and not row.role and not operator.is_superuser
