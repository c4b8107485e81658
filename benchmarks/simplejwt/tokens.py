"""An access token that can be revoked: simplejwt looks into its blacklist for refresh tokens alone unless told so."""

from rest_framework_simplejwt.tokens import AccessToken, BlacklistMixin


class RevocableAccessToken(BlacklistMixin["RevocableAccessToken"], AccessToken):
    pass
