"""The errors that the API answers with. Rooms derive their own; `error_answers` alone turns them into responses."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class GatehouseError(Exception):
    """An answer that is not a success: `status` (HTTP), `type` (stable, machine-readable), `message` (for a person)."""

    status: ClassVar[int] = 400
    type: ClassVar[str] = "bad_request"
    message: ClassVar[str | Promise] = _("The request could not be understood.")

    def __init__(
        self,
        message: str | Promise | None = None,
        *,
        retry_after: float | None = None,
        limit: str | None = None,
        fields: Mapping[str, list[str]] | None = None,
        max_age: int | None = None,
        headers: Mapping[str, str] | None = None,
        rule: str | None = None,
    ) -> None:
        """`retry_after` in seconds and `limit` (its stable name) go with 429; `fields` with validation errors.

        `max_age`: how many seconds ago the caller may have proven who it is, at most (RFC 9470). `rule`: what has refused, for
        the audit trail alone, where one answer stands for several.
        """
        self.text = self.message if message is None else message
        self.retry_after = retry_after
        self.limit = limit
        self.fields = fields
        self.max_age = max_age
        self.headers = dict(headers or {})
        self.refused_by = rule or limit or self.type
        self.is_recorded = False  # whether its event is written (`audit.refusals`)
        super().__init__(str(self.type))


def is_refusal(error: BaseException) -> bool:
    """Whether this answers what the caller did, and is no failure of ours."""
    return isinstance(error, GatehouseError) and error.status < 500


class ValidationFailed(GatehouseError):
    type = "validation_error"
    message = _("Some fields are missing or wrong.")


@contextmanager
def refused_by_field() -> Iterator[None]:
    """Turn what a model's own checks refuse (`full_clean`) into ValidationFailed, field by field."""
    try:
        yield
    except ValidationError as error:
        raise ValidationFailed(fields=error.message_dict) from error


class MalformedRequest(GatehouseError):
    type = "malformed_request"
    message = _("The request body is not valid JSON.")


class AuthenticationError(GatehouseError):
    """401: the caller is not who the endpoint needs. `oauth_error` is RFC 6750's `error`; empty when nothing was presented."""

    status = 401
    oauth_error: ClassVar[str] = "invalid_token"


class AuthenticationRequired(AuthenticationError):
    type = "authentication_required"
    message = _("Please sign in.")
    oauth_error = ""


class PermissionDenied(GatehouseError):
    status = 403
    type = "permission_denied"
    message = _("You are not allowed to do this.")


class FormNotGenuine(GatehouseError):
    """Django's CSRF check has refused a form."""

    status = 403
    type = "csrf_failed"
    message = _("This form is no longer valid, or the browser keeps no cookies. Go back, reload and try again.")


class NotFound(GatehouseError):
    status = 404
    type = "not_found"
    message = _("There is nothing here.")


class PayloadTooLarge(GatehouseError):
    status = 413
    type = "payload_too_large"
    message = _("The request body is too large.")


class RateLimited(GatehouseError):
    status = 429
    type = "rate_limited"
    message = _("Too many attempts. Please wait a little and try again.")


class TemporarilyUnavailable(GatehouseError):
    RETRY_AFTER_SECONDS: ClassVar[int] = 5
    status = 503
    type = "temporarily_unavailable"
    message = _("This is not available right now. Please try again in a moment.")
