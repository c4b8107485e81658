"""`GET /verify`: may the sender of the request that a proxy holds, and who is it?"""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import handed_on
from apps.api.authentication.access_token import TokenAuthentication
from apps.api.authentication.principal import Principal
from apps.api.base_views import PublicView
from apps.api.early_request import Environ
from apps.api.forward_auth import demands, verdict
from apps.api.forward_auth.verdict import Inquiry
from apps.api.refusals import refuses_with
from apps.api.schema import security_schemes
from apps.core.errors import NotFound, PermissionDenied, ValidationFailed
from apps.tokens.errors import InsufficientUserAuthentication, MalformedToken


def _demand(name: str, kind: Any, description: str, *, many: bool = False) -> OpenApiParameter:
    return OpenApiParameter(name, kind, description=description, many=many)


DEMANDS = [
    _demand(
        "customer", OpenApiTypes.STR, "whose users may: slug or id, `*` for all; without it the default customer's"
    ),
    _demand("permission", OpenApiTypes.STR, "that the user must hold; may be given again: all of them", many=True),
    _demand("role", OpenApiTypes.STR, "that the user must have"),
    _demand("max_age", OpenApiTypes.INT, "seconds since the user has last proven who they are, at most"),
]
TOLD = [
    OpenApiParameter(
        name, OpenApiTypes.STR, OpenApiParameter.HEADER, description=description, response=[204], required=True
    )
    for name, description in (
        ("X-Gatehouse-User", "the user's id"),
        ("X-Gatehouse-Customer", "the customer's id"),
        ("X-Gatehouse-Role", "empty until the user is active"),
        ("X-Gatehouse-Permissions", "separated by spaces; empty until the user is active"),
    )
]


class VerifyView(PublicView):
    """Forward authentication: a proxy asks before it passes a request on. Everything is as for a call with the token.

    The shortcut (`forward_auth.shortcut`) answers most requests before they come here.
    """

    http_method_names = ("get",)

    @extend_schema(
        operation_id="verify",
        parameters=[*DEMANDS, *TOLD],
        auth=security_schemes.BY_HEADER,
        responses={204: OpenApiResponse(description="let in")},
    )
    @refuses_with(
        *(refusal for refusal in TokenAuthentication.refusals if refusal is not MalformedToken),
        *(PermissionDenied, InsufficientUserAuthentication, ValidationFailed),
    )
    def get(self, request: Request) -> Response:
        inquiry = verdict.inquiry_of(request.META)
        if inquiry is None:
            raise NotFound
        outcome = handed_on.outcome_of(request.META, verdict.let_in)
        who = outcome.get() if outcome else _let_in(inquiry, request.META)
        return Response(status=inquiry.success, headers=dict(verdict.told_of(who)))

    def http_method_not_allowed(self, request: Any, *_of_the_address: Any, **_named: Any) -> Response:
        """Envoy asks by the method of the client, whichever that is."""
        return self.get(request)


def _let_in(inquiry: Inquiry, environ: Environ) -> Principal:
    return verdict.let_in(inquiry.original_request(environ), demands.parse(inquiry.demands))
