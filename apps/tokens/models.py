"""Sessions, their refresh tokens, and access tokens ended early.

Each refresh changes its session's row and the old token's. None of what it changes is in an index, and pages keep some room
(`fillfactor`): so PostgreSQL writes the new version beside the old one and touches no index (HOT). That, indexes that nobody
needed, and foreign keys that locked a row of the customer each time were two thirds of what a refresh wrote.
"""

from datetime import datetime
from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.ids import new_id
from apps.core.owned import OwnedQuerySet, Row
from apps.core.sealed import SealedField
from apps.customers.models import Customer, SigningSecret
from apps.users.models import User


class Delivery(models.TextChoices):
    """How the tokens reach the client: in the answer's body, or as cookies that a page cannot read (contract 3.8).

    The tokens of a hosted session stay with the hosted pages: no client has them.
    """

    BODY = "body", _("In the answer")
    COOKIE = "cookie", _("By cookie")
    HOSTED = "hosted", _("On the hosted pages")


class EndReason(models.TextChoices):
    LOGOUT = "logout", _("Signed out")
    REVOKED = "revoked", _("Ended by its user")  # by its user, from another session
    OPERATOR = "operator", _("Ended by an operator")
    REFRESH_REUSE = "refresh_reuse", _("A refresh token was used twice")
    EMERGENCY_ROTATION = "emergency_rotation", _("Emergency rotation")
    USER_DEACTIVATED = "user_deactivated", _("User deactivated")
    PASSWORD_CHANGED = "password_changed", _("Password changed")
    EMAIL_PROVEN = "email_proven", _("Address proven by somebody else")  # began before anybody had proven the mailbox
    EMAIL_CHANGE_UNDONE = "email_change_undone", _("Change of address undone")
    WRONG_PROOFS = (
        "wrong_proofs",
        _("Too many wrong proofs"),
    )  # too many wrong proofs in a row: it may be in the wrong hands
    TOO_MANY = "too_many", _("Made way for a newer one")  # least lately used, it made way for a new one
    REVOKED_BY_SERVER = "revoked_by_server", _("Revoked by a server")  # RFC 7009
    CODE_REUSE = (
        "code_reuse",
        _("An authorization code came twice"),
    )  # the authorization code that gave it came a second time
    CLIENT_DISABLED = (
        "client_disabled",
        _("OAuth client disabled"),
    )  # the registered client that it began for, or deleted


ONE_SESSION_A_REQUEST = "session_request_once"


class WeekOf(models.Func):
    """The Monday, in UTC, of a time's week. Immutable, as PostgreSQL wants it of a generated column."""

    template = "(date_trunc('week', %(expressions)s AT TIME ZONE 'UTC'))::date"
    arity = 1
    output_field = models.DateField()


class SessionQuerySet(OwnedQuerySet["Session"]):
    """Sessions of one customer."""

    def alive(self, now: datetime) -> Self:
        """Those that can still be used."""
        return self.filter(ended_at=None, expires_at__gt=now)


class Session(models.Model):
    """A signed-in device. Ends by `ended_at`, or when its last refresh token expires."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)  # the tokens' `sid`
    # The user's own, copied from its row as the session is inserted: checked there.
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions", db_index=False)
    delivery = models.CharField(max_length=8, choices=Delivery, default=Delivery.BODY)
    sandbox_key_id = models.CharField(max_length=12, blank=True)  # the test key it began with: it sends nothing
    # The registered client that it began for (OAuth). It is refreshed by that client alone.
    oauth_client_id = models.CharField(max_length=64, blank=True, default="", db_default="")
    payload_key = SealedField(blank=True, default="", db_default="")  # cookie mode: of its bodies (`payload_keys`)
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=512, blank=True)
    created_at = models.DateTimeField()
    last_activity_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    expiry_week = models.GeneratedField(
        expression=WeekOf("expires_at"), output_field=models.DateField(), db_persist=True
    )
    auth_time = models.DateTimeField(null=True)  # of the last proof; null: the session began before this was kept
    amr = models.CharField(
        max_length=64, blank=True, db_default=""
    )  # how it was proven so far: names of RFC 8176, separated by spaces
    proofs_tried = models.PositiveSmallIntegerField(default=0, db_default=0)  # in a row since the last right one
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=32, choices=EndReason, blank=True)
    # Of the request that began it (contract 2.1.3). Sent again, that request begins no other session, even if Valkey has
    # forgotten it.
    request_mark = models.BinaryField(null=True, max_length=32)

    objects = SessionQuerySet.as_manager()

    class Meta:
        ordering = ("-last_activity_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("request_mark",), name=ONE_SESSION_A_REQUEST, condition=models.Q(request_mark__isnull=False)
            ),
        )
        indexes = (
            models.Index(fields=("user", "ended_at"), name="session_user"),
            models.Index(fields=("customer", "-id"), name="session_of_customer"),  # the newest first
            # By which `tokens.remove_expired` finds them. Not by the time itself: each refresh changes that.
            models.Index(fields=("expiry_week",), name="session_expiry"),
            models.Index(fields=("ended_at",), name="session_ended", condition=models.Q(ended_at__isnull=False)),
            models.Index(
                fields=("oauth_client_id",),
                name="session_client",
                condition=models.Q(ended_at__isnull=True) & ~models.Q(oauth_client_id=""),
            ),
        )

    def __str__(self) -> str:
        return f"session {self.id}"


class SessionOwnedQuerySet(OwnedQuerySet[Row]):
    """Rows of a session, and so of its customer."""

    owner = "session__customer_id"


class RefreshToken(models.Model):
    """The row without which a refresh token's signature is worth nothing (contract 3.6). Its id is the token's `jti`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="refresh_tokens", db_index=False)
    # Nobody looks for the tokens of a secret, and a secret goes with its customer alone, as its sessions do.
    signing_secret = models.ForeignKey(
        SigningSecret, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    access_jti = models.UUIDField()  # of the access token issued with it
    issued_at = models.DateTimeField()  # whole seconds: the tokens' `iat`
    access_expires_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    # It may have expired and be gone, where the customer's lifetimes have become shorter: then it is given to nobody.
    successor = models.ForeignKey(
        "self", null=True, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )

    objects = SessionOwnedQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=("expires_at",), name="refresh_expiry"),
            models.Index(fields=("session", "issued_at"), name="refresh_session"),  # how many lately: the limit
        )

    def __str__(self) -> str:
        return f"refresh token {self.id}"


class RevokedToken(models.Model):
    """An access token ended before its time (the blacklist). Kept until the token would have expired anyway."""

    jti = models.UUIDField(primary_key=True)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="revoked_tokens")
    revoked_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    objects = SessionOwnedQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=("expires_at",), name="revoked_expiry"),)

    def __str__(self) -> str:
        return f"revoked token {self.jti}"
