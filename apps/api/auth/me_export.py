"""Everything that is kept about the user."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.export import sections
from apps.accounts.export.sections import SECTIONS, Section
from apps.accounts.export.users import account
from apps.api import pagination
from apps.api.authentication.principal import user_of
from apps.api.base_views import SignedInView
from apps.api.refusals import refuses_with
from apps.core.errors import NotFound, ValidationFailed
from apps.core.requests import context_of
from apps.users.models import User

LONGEST_OF_ALL_SECTIONS = 40 * 1024  # bytes: with the account itself an export stays under 48 KiB (contract 2.2.4)


class ExportedPageSerializer(serializers.Serializer[Any]):
    results = serializers.ListField(child=serializers.DictField())
    next = serializers.CharField(allow_null=True)


class ExportSerializer(serializers.Serializer[Any]):
    """Without `section`: the account and how each section begins."""

    user = serializers.DictField()
    sections = serializers.DictField(child=ExportedPageSerializer())


class ExportedSectionSerializer(ExportedPageSerializer):
    """With `?section=`: a page of that one."""

    section = serializers.CharField()


EXPORT_ANSWER = PolymorphicProxySerializer(
    component_name="ExportAnswer",
    serializers=[ExportSerializer, ExportedSectionSerializer],
    resource_type_field_name=None,
)


class ExportView(SignedInView):
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
    return pagination.first_page(section.rows(user), represent=section.represent, longest=longest).document()


def _note(request: Request, user: User, section: str) -> None:
    sections.note_export(user, section=section, context=context_of(request))
