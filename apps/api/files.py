"""The user's files: announced, listed, shown, deleted. Their contents travel at `file_content`."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.authentication.principal import principal_of
from apps.api.base_views import SignedInView
from apps.api.fields import NameInputField
from apps.api.file_document import FileSerializer, describe_file
from apps.api.pagination import page
from apps.api.refusals import refuses_with
from apps.api.serializers import MessageSerializer, StrictSerializer
from apps.core import actors
from apps.core.errors import NotFound
from apps.core.requests import context_of
from apps.files import deletion, own_files, reservation
from apps.files.errors import FileQuotaExceeded, FileTooLarge
from apps.files.models import PURPOSE
from apps.files.reservation import NewFile

CREATED = 201
LONGEST_NAME = 255
LARGEST = 2**63 - 1  # bytes that a column can hold


class NewFileSerializer(StrictSerializer):
    name = NameInputField(max_length=LONGEST_NAME, help_text="for people: it decides nothing")
    purpose = serializers.RegexField(
        rf"\A{PURPOSE}\Z", help_text="`identity_document`, or a word of your own: a-z, 0-9 and _"
    )
    size = serializers.IntegerField(min_value=1, max_value=LARGEST, help_text="bytes of the content, exactly")


class FilePageSerializer(serializers.Serializer[Any]):
    results = FileSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class FilesView(SignedInView):
    """The user's files."""

    @extend_schema(
        operation_id="files",
        responses=FilePageSerializer,
        parameters=[OpenApiParameter("cursor", str), OpenApiParameter("limit", int)],
    )
    def get(self, request: Request) -> Response:
        who = principal_of(request)
        mine = own_files.of(who.customer_id, who.user_id)
        return Response(page(mine, request=request, represent=describe_file).document())

    @extend_schema(operation_id="announce_file", request=NewFileSerializer, responses={201: FileSerializer})
    @refuses_with(FileTooLarge, FileQuotaExceeded, NotFound)
    def post(self, request: Request) -> Response:
        """Announces a file: its bytes count from now on. Send the content to `/api/files/{id}/content` within an hour."""
        who, new = principal_of(request), NewFile(**self.read(NewFileSerializer))
        file = reservation.reserve(new, customer=who.customer, user_id=who.user_id, context=context_of(request))
        return Response(describe_file(file), status=CREATED)


class FileView(SignedInView):
    """One file of the user."""

    @extend_schema(operation_id="file", responses=FileSerializer)
    def get(self, request: Request, file_id: UUID) -> Response:
        who = principal_of(request)
        return Response(describe_file(own_files.get(who.customer_id, who.user_id, file_id)))

    @extend_schema(operation_id="delete_file", responses={200: MessageSerializer})
    def delete(self, request: Request, file_id: UUID) -> Response:
        """From now on nobody can read the content."""
        who = principal_of(request)
        context = context_of(request).by(actors.user(who.user_id))
        deletion.delete(customer_id=who.customer_id, user_id=who.user_id, file_id=file_id, context=context)
        return Response({"message": _("The file has been deleted.")})
