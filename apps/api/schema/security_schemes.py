"""How a call shows who makes it, for the OpenAPI schema: an API key, or tokens in a header or, for browsers, in cookies (contract 3.8)."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from apps.api.authentication import api_key, cookies

API_KEY, API_KEY_AS_BEARER = "apiKey", "apiKeyAsBearer"
OAUTH_CLIENT = "oauthClient"  # defined in the settings (APPEND_COMPONENTS): no authentication class is behind it
HEADER, ACCESS_COOKIE, REFRESH_COOKIE, CSRF = "accessToken", "accessCookie", "refreshCookie", "csrfToken"

REFRESHING: list[Any] = [
    {},
    {API_KEY: []},
    {REFRESH_COOKIE: [], CSRF: []},
    {API_KEY: [], REFRESH_COOKIE: [], CSRF: []},
]
RESUMING: list[Any] = [{ACCESS_COOKIE: []}, {REFRESH_COOKIE: []}]
BY_HEADER: list[Any] = [{HEADER: []}]
BY_CLIENT: list[Any] = [{OAUTH_CLIENT: []}, {}]  # else `client_id`, and perhaps `client_secret`, are in the form
LOGGING_OUT: list[Any] = [{HEADER: []}, {ACCESS_COOKIE: [], CSRF: []}, {REFRESH_COOKIE: []}]


class ApiKeyScheme(OpenApiAuthenticationExtension):
    """The API key: in a header of its own or, where no access token is taken, as a bearer (contract 1.1)."""

    target_class = "apps.api.authentication.api_key.ApiKeyAuthentication"
    name = [API_KEY, API_KEY_AS_BEARER]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        return [
            {"type": "apiKey", "in": "header", "name": api_key.HEADER},
            {"type": "http", "scheme": "bearer", "description": "the API key as a bearer"},
        ]


class AccessTokenScheme(OpenApiAuthenticationExtension):
    """What every view asks for unless it says otherwise."""

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
