"""A first code confirms a factor that is being enrolled."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.response import Response

from apps.api.fields import CodeField
from apps.api.serializers import StrictSerializer


class CodeSerializer(StrictSerializer):
    code = CodeField()


class ConfirmedSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()
    recovery_codes = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="with a first factor; shown this once"
    )


def confirmed(recovery_codes: tuple[str, ...]) -> Response:
    """The factor is enrolled. With the first one come recovery codes."""
    codes = {"recovery_codes": list(recovery_codes)} if recovery_codes else {}
    return Response({"message": _("The second factor is enrolled."), **codes})
