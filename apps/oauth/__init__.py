"""The service as an OAuth 2.1 authorization server and OpenID Connect provider: registered clients, authorization codes, logout."""
