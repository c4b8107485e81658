"""Registered clients, and the authorization codes that they are given."""

from datetime import datetime

from django.db import models
from django.db.models.functions import Collate, Lower

from apps.core.ids import new_id
from apps.core.names import NameField
from apps.core.owned import OwnedQuerySet, UserOwnedQuerySet
from apps.customers.models import Customer
from apps.oauth.redirect_addresses import validate_addresses, validate_redirect_addresses
from apps.oauth.scopes import every_scope, validate_scopes
from apps.tokens.models import Session
from apps.users.models import User


class RegisteredClient(models.Model):
    """An app of one customer that users sign in to by the hosted pages. Its id is the `client_id`.

    A client with a secret is confidential; without one it is public: its code is in a browser or on a phone, where nothing is secret.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    name = NameField(max_length=200)
    secret_digest = models.BinaryField(null=True, max_length=32, editable=False)
    # After a rotation the old secret works on for the chosen overlap.
    old_secret_digest = models.BinaryField(null=True, max_length=32, editable=False)
    old_secret_expires_at = models.DateTimeField(null=True, editable=False)
    redirect_uris = models.JSONField(validators=[validate_redirect_addresses])
    post_logout_redirect_uris = models.JSONField(default=list, blank=True, validators=[validate_addresses])
    scopes = models.JSONField(default=every_scope, blank=True, validators=[validate_scopes])
    created_at = models.DateTimeField(editable=False)
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        verbose_name = "OAuth client"
        ordering = ("-created_at", "-id")
        indexes = (models.Index(Collate(Lower("name"), "C"), name="client_name_begins"),)  # for LIKE 'shop%'

    def __str__(self) -> str:
        return self.name

    @property
    def client_id(self) -> str:
        return str(self.id)

    @property
    def is_confidential(self) -> bool:
        return self.secret_digest is not None

    @property
    def is_active(self) -> bool:
        return self.disabled_at is None

    def secret_digests(self, now: datetime) -> tuple[bytes, ...]:
        """Of the secrets that work now."""
        old_works = self.old_secret_expires_at is not None and now < self.old_secret_expires_at
        found = (self.secret_digest, self.old_secret_digest if old_works else None)
        return tuple(bytes(digest) for digest in found if digest is not None)


class AuthorizationCode(models.Model):
    """A code, and what its user has granted to the client by it. Kept as long as the session that it gave."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    client = models.ForeignKey(RegisteredClient, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    digest = models.BinaryField(unique=True, max_length=32)
    # At which the user has signed in by the hosted pages. The code is void once it has ended.
    hosted_session = models.ForeignKey(Session, null=True, on_delete=models.SET_NULL, related_name="+")
    # Which the code has given. A second use ends it.
    session = models.OneToOneField(Session, null=True, on_delete=models.CASCADE, related_name="+")
    redirect_uri = models.TextField()
    code_challenge = models.CharField(max_length=43)  # S256: base64url of 32 bytes (RFC 7636 section 4.2)
    scope = models.CharField(max_length=200, blank=True)  # separated by spaces
    nonce = models.CharField(max_length=512, blank=True)
    is_new = models.BooleanField(default=False, db_default=False)  # the user was made at the sign-in that led here
    credentials_version = models.PositiveIntegerField()  # of the user, as it was issued
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    objects = UserOwnedQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=("expires_at",), name="code_unused_expiry", condition=models.Q(used_at__isnull=True)),
        )

    def __str__(self) -> str:
        return f"authorization code {self.id}"

    @property
    def scopes(self) -> tuple[str, ...]:
        return tuple(self.scope.split())
