"""The webhook by which an outside identity check answers."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core import signatures
from apps.core.requests import caller_of
from apps.payloads.envelope import Envelope
from apps.signin import outside_checks
from apps.signin.errors import AlreadyDecided
from apps.tokens.serializers import MessageSerializer


class CheckAnswerSerializer(serializers.Serializer[Any]):
    approved = serializers.BooleanField()
    reason = serializers.CharField(max_length=outside_checks.LONGEST_REASON, default="", allow_blank=True)


class IdentityCheckAnswer(APIView):
    """Approve or reject the user of a check. Signed with the customer's identity check secret (X-Gatehouse-Signature)."""

    authentication_classes: Any = ()
    permission_classes: Any = ()
    envelope = Envelope.PLAIN

    @extend_schema(operation_id="identity_check_answer", request=CheckAnswerSerializer, responses=MessageSerializer)
    def post(self, request: Request, check_id: UUID) -> Response:
        answer = outside_checks.Answer(
            check_id=check_id,
            body=request.body,
            signature=request.headers.get(signatures.HEADER, ""),
            caller=caller_of(request),
            now=timezone.now(),
        )
        outside_checks.require_genuine(answer)
        given = CheckAnswerSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            outside_checks.take_answer(answer, **given.validated_data)
        except AlreadyDecided:  # said twice, or by a replay: nothing changes
            return Response({"message": "Already so"})
        return Response({"message": "Noted"})
