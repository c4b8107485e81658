"""Access and refresh tokens as security schemes of the OpenAPI schema: in a header or, for browsers, in cookies (contract 3.8)."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from apps.api.authentication import cookies

HEADER, ACCESS_COOKIE, REFRESH_COOKIE, CSRF = "accessToken", "accessCookie", "refreshCookie", "csrfToken"

REFRESHING: list[Any] = [
    {},
    {"apiKey": []},
    {REFRESH_COOKIE: [], CSRF: []},
    {"apiKey": [], REFRESH_COOKIE: [], CSRF: []},
]
LEAVING: list[Any] = [{HEADER: []}, {ACCESS_COOKIE: [], CSRF: []}, {REFRESH_COOKIE: []}]


class AccessTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """What every view asks for without a word."""

    target_class = "apps.api.authentication.access_token.TokenAuthentication"
    name = [HEADER, ACCESS_COOKIE, REFRESH_COOKIE, CSRF]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        proof: dict[str, list[Any]] = {} if auto_schema.method in cookies.SAFE_METHODS else {CSRF: []}
        return [{HEADER: []}, {ACCESS_COOKIE: [], **proof}]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        return [
            {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            {"type": "apiKey", "in": "cookie", "name": cookies.ACCESS_COOKIE},
            {"type": "apiKey", "in": "cookie", "name": cookies.REFRESH_COOKIE},
            {
                "type": "apiKey",
                "in": "header",
                "name": cookies.CSRF_HEADER,
                "description": "`csrf_token` of the sign-in answer; with an `Origin` that the customer allows",
            },
        ]
