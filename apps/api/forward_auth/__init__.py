"""Forward authentication: a proxy asks, before it passes a request on, whether its sender may (`GET /verify`).

nginx calls it auth_request, Traefik ForwardAuth, Envoy ext_authz. docs/forward-auth.md shows each.
"""
