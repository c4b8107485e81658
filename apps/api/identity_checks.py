"""The webhook by which an outside identity check answers."""

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.base_views import PublicView
from apps.api.refusals import refuses_with
from apps.api.serializers import MessageSerializer, StrictSerializer
from apps.approvals import outside_answers
from apps.approvals.errors import AlreadyDecided, InvalidSignature
from apps.core import signatures
from apps.core.errors import PermissionDenied
from apps.core.requests import context_for_others
from apps.customers.errors import CustomerSuspended

HOW_SIGNED = '`t=<unix time>,v1=<hex HMAC-SHA256 of "<t>.<body>">`, with the identity check secret'


class CheckAnswerSerializer(StrictSerializer):
    check_id = serializers.UUIDField()  # once more, since the signature does not cover the address
    approved = serializers.BooleanField()
    reason = serializers.CharField(max_length=outside_answers.LONGEST_REASON, default="", allow_blank=True)


class IdentityCheckAnswerView(PublicView):
    """Approve or reject the user of a check. Signed with the customer's identity check secret (X-Gatehouse-Signature)."""

    @extend_schema(
        operation_id="identity_check_answer",
        request=CheckAnswerSerializer,
        responses=MessageSerializer,
        parameters=[
            OpenApiParameter(signatures.HEADER, str, OpenApiParameter.HEADER, required=True, description=HOW_SIGNED)
        ],
    )
    @refuses_with(InvalidSignature, CustomerSuspended, PermissionDenied, AlreadyDecided)
    def post(self, request: Request, check_id: UUID) -> Response:
        answer = outside_answers.CheckAnswer(
            check_id=check_id,
            body=request.body,
            signature=request.headers.get(signatures.HEADER, ""),
            context=context_for_others(request),
        )
        genuine = outside_answers.require_genuine(answer)
        given = self.read(CheckAnswerSerializer)
        changed = outside_answers.take(
            genuine, check_id=given["check_id"], approved=given["approved"], reason=given["reason"]
        )
        return Response({"message": "Noted" if changed else "Already so"})
