"""The user's own account over HTTP: read, changed, exported, erased."""

from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import erasure
from apps.accounts.export import sections
from apps.accounts.export.sections import SECTIONS, Section
from apps.accounts.export.users import account
from apps.api import pagination
from apps.api.auth import token_answers
from apps.api.auth.tokens_serializers import (
    EXPORT_ANSWER,
    MessageSerializer,
    ProfileAnswerSerializer,
    ProfileSerializer,
)
from apps.api.authentication import cookies
from apps.api.authentication.access_token import principal_of, user_of
from apps.api.permissions import needs_fresh_proof
from apps.api.refusals import refuses_with
from apps.api.views import EncryptedView
from apps.core.errors import NotFound, ValidationFailed
from apps.core.requests import context_of
from apps.core.times import rfc3339
from apps.tokens.models import Delivery
from apps.users import lifecycle
from apps.users.errors import LastAdmin
from apps.users.models import User
from apps.users.state import UserState

LONGEST_OF_ALL_SECTIONS = 40 * 1024  # bytes: with the account itself an export stays under 48 KiB (contract 2.2.4)


class Me(EncryptedView):
    """The user of the token, as it is now."""

    @extend_schema(operation_id="me", responses=ProfileAnswerSerializer)
    def get(self, request: Request) -> Response:
        return Response(_profile(principal_of(request).user))

    @extend_schema(operation_id="change_me", request=ProfileSerializer, responses=ProfileAnswerSerializer)
    @refuses_with(NotFound)
    def patch(self, request: Request) -> Response:
        changes, user = self.read(ProfileSerializer), user_of(request)
        lifecycle.change_profile(user, changes=changes, context=context_of(request))
        now = replace(principal_of(request).user, name=user.name, locale=user.locale, sealed_phone=user.phone)
        return Response(_profile(now))

    @extend_schema(operation_id="erase_me", request=None, responses={200: MessageSerializer})
    @needs_fresh_proof
    @refuses_with(LastAdmin, NotFound)
    def delete(self, request: Request) -> Response:
        """Erases the account and all that hangs on it; the audit trail stays, and bears no address.

        409 `last_admin` for the only administrator of a customer that has other users.
        """
        who = principal_of(request)
        erasure.erase_oneself(customer_id=who.customer_id, user_id=who.user_id, context=context_of(request))
        response = Response({"message": _("Your account has been erased.")})
        if who.delivery == Delivery.COOKIE:
            cookies.clear(response)
        return response


class Export(EncryptedView):
    """All data held about the user."""

    @extend_schema(
        operation_id="export_me",
        responses=EXPORT_ANSWER,
        parameters=[
            OpenApiParameter("section", str, description="one list alone, page by page"),
            OpenApiParameter("cursor", str, description="with `section`: its `next`"),
            OpenApiParameter("limit", int, description="with `section`"),
        ],
    )
    @refuses_with(NotFound)
    def get(self, request: Request) -> Response:
        """The account and every list of what belongs to it, each from its newest row on:
        `{"user": {…}, "sections": {"sessions": {"results": […], "next": "<cursor>" or null}, …}}`.

        A list that is longer goes on at `?section=sessions&cursor=<next>`: `{"section", "results", "next"}`.
        """
        user, wanted = user_of(request), request.query_params.get("section")
        if wanted is None:
            _note(request, user, "")
            return Response({"user": account(user), "sections": _beginnings(user)})
        section = sections.find(wanted)
        if section is None:
            raise ValidationFailed(fields={"section": [_("There is no such section.")]})
        if not request.query_params.get("cursor"):
            _note(request, user, section.name)
        page = pagination.page(section.rows(user), request=request, represent=section.represent)
        return Response({"section": section.name, **page.document()})


def _beginnings(user: User) -> dict[str, Any]:
    """The first page of each section; together they fit into one answer."""
    share = LONGEST_OF_ALL_SECTIONS // len(SECTIONS)
    return {section.name: _beginning(section, user, share) for section in SECTIONS}


def _beginning(section: Section, user: User, longest: int) -> dict[str, Any]:
    return pagination.first(section.rows(user), represent=section.represent, longest=longest).document()


def _note(request: Request, user: User, section: str) -> None:
    sections.note_export(user, section=section, context=context_of(request))


def _profile(user: UserState) -> dict[str, Any]:
    return {
        **token_answers.describe(user, user.permissions),
        "locale": user.locale,
        "phone": user.phone(),
        "email_verified": user.email_verified,
        "created_at": rfc3339(user.created_at),
    }
