"""Links by which an operator sets a password: an invitation, or because the password was forgotten.

Only a digest of a link's token is kept. A link is good once, until it expires, and for the operator as he was when it was sent: a
new password, address or sign-in makes it worthless. Its token stands behind the `#`, which no server, log or Referer header sees.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone, translation

from apps.core import ciphers
from apps.core.context import RequestContext
from apps.customers import operator_mails
from apps.customers.operator_mails import OperatorDraft, OperatorMail, address_of
from apps.operators.errors import UselessLink
from apps.operators.models import LinkPurpose, OperatorLink
from apps.operators.team import last_administrator

INFO = "gatehouse/operators/link/v1"
TOKEN_BYTES = 32
LONGEST_TOKEN = 64  # characters


@dataclass(frozen=True)
class LinkKind:
    """What there is of each purpose: how long a link lives, its mail, and the page that it leads to."""

    lifetime: timedelta
    mail: OperatorMail
    page: str


KINDS = {
    LinkPurpose.INVITATION: LinkKind(timedelta(days=3), OperatorMail.INVITATION, "admin:accept_invitation"),
    LinkPurpose.FORGOTTEN: LinkKind(timedelta(hours=1), OperatorMail.FORGOTTEN, "admin:new_password"),
}


@dataclass(frozen=True)
class Recipient:
    """Who shall get a link: an operator, or nobody, for whom the same work is done. `typed`: what was asked for."""

    operator: User | None
    typed: str = field(default="", repr=False)

    @property
    def address(self) -> str:
        return address_of(self.operator) if self.operator else self.typed


def send(recipient: Recipient, purpose: LinkPurpose, context: RequestContext, **facts: str) -> None:
    """Post a new link, in the caller's transaction; earlier ones of the same purpose are withdrawn."""
    kind, operator = KINDS[purpose], recipient.operator
    token, expires_at = secrets.token_urlsafe(TOKEN_BYTES), context.now + kind.lifetime
    OperatorLink.objects.filter(operator=operator, purpose=purpose).exclude(operator=None).delete()
    OperatorLink.objects.create(
        operator=operator,
        purpose=purpose,
        digest=_digest(token),
        state_mark=_state_mark(operator),
        created_at=context.now,
        expires_at=expires_at,
    )
    draft = OperatorDraft(
        kind=kind.mail,
        address=recipient.address,
        locale=translation.get_language() or "",
        expires_at=expires_at,
        facts={"admin_link": f"{settings.PUBLIC_URL}{reverse(kind.page)}#token={token}", **_lifetime(kind), **facts},
    )
    (operator_mails.post if operator else operator_mails.suppress)(draft, now=context.now)


def find(token: str, purpose: LinkPurpose) -> User:
    """The operator of a link that is still good. Raises UselessLink, whatever is wrong with it."""
    return _good(token, purpose, timezone.now())[1]


def take(token: str, purpose: LinkPurpose, now: datetime) -> User:
    """The same, in the caller's transaction: the link is used up, and its operator locked. Of many uses at once one succeeds."""
    link, operator = _good(token, purpose, now)
    last_administrator.lock_all()  # before the operator, as every other change of operators locks
    locked = User.objects.select_for_update().get(pk=operator.pk)
    if bytes(link.state_mark) != _state_mark(locked) or not OperatorLink.objects.filter(pk=link.pk).delete()[0]:
        raise UselessLink
    return locked


def withdraw(operator: User, *purposes: LinkPurpose) -> int:
    """Make links of these purposes worthless, in the caller's transaction. Returns how many there were."""
    return OperatorLink.objects.filter(operator=operator, purpose__in=purposes or LinkPurpose.values).delete()[0]


def is_open(operator: User, purpose: LinkPurpose) -> bool:
    """Whether a link of this purpose waits to be used."""
    return OperatorLink.objects.filter(operator=operator, purpose=purpose, expires_at__gt=timezone.now()).exists()


def _good(token: str, purpose: LinkPurpose, now: datetime) -> tuple[OperatorLink, User]:
    """Raises UselessLink."""
    rows = OperatorLink.objects.filter(purpose=purpose, expires_at__gt=now).select_related("operator")
    link = rows.filter(digest=_digest(token[:LONGEST_TOKEN])).first()
    operator = link.operator if link else None
    if link is None or operator is None or not (operator.is_active and operator.is_staff):
        raise UselessLink
    if bytes(link.state_mark) != _state_mark(operator):
        raise UselessLink
    return link, operator


def _digest(token: str) -> bytes:
    return ciphers.digest(token.encode())


def _state_mark(operator: User | None) -> bytes:
    """What the operator is now: password, address, and the last sign-in."""
    parts = (operator.pk, operator.password, address_of(operator), operator.last_login) if operator else ()
    text = "\0".join((INFO, *map(str, parts)))
    return ciphers.mac(text.encode(), key=str(settings.SECRET_KEY).encode())


def _lifetime(kind: LinkKind) -> dict[str, int]:
    return {"days": kind.lifetime.days, "minutes": int(kind.lifetime.total_seconds()) // 60}
