"""The server by which staff may sign in, as the environment tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

EXTRA = ("requests", "jwt", "oauthlib")
"""What the extra ``oidc`` brings: imported by nothing unless a server is configured."""
PROVIDER = "oidc"
"""Under this name an identity is kept beside its ``sub``: do not change it."""


@dataclass(frozen=True)
class OpenIDConnect:
    server_url: str
    client_id: str
    client_secret: str
    name: str
    scopes: tuple[str, ...]
    acr_values: tuple[str, ...]

    @property
    def issuer(self) -> str:
        """Who signs, by the address of the server: OpenID Connect Discovery 1.0, 4.3."""
        return self.server_url.partition("/.well-known/")[0].rstrip("/")

    def app(self) -> dict[str, Any]:
        """As django-allauth has it. No user info is fetched: ``sub`` is all that is kept."""
        return {
            "provider_id": PROVIDER,
            "name": self.name,
            "client_id": self.client_id,
            "secret": self.client_secret,
            "settings": {
                "server_url": self.server_url,
                "scope": list(self.scopes),
                "auth_params": (
                    {"acr_values": " ".join(self.acr_values)} if self.acr_values else {}
                ),
                "oauth_pkce_enabled": True,
                "fetch_userinfo": False,
                "uid_field": "sub",
            },
        }


def oidc_told(env: environ.Env) -> OpenIDConnect | None:
    """None where no server is named.

    :raises ImproperlyConfigured: half told, without the extra, or not over https.
    """
    told = {
        name: env(f"READINESS_OIDC_{name}", default="")
        for name in ("SERVER_URL", "CLIENT_ID", "CLIENT_SECRET")
    }
    if not any(told.values()):
        return None
    if missing := [f"READINESS_OIDC_{name}" for name, value in told.items() if not value]:
        raise ImproperlyConfigured(f"OpenID Connect lacks {', '.join(missing)}.")
    if absent := [name for name in EXTRA if find_spec(name) is None]:
        raise ImproperlyConfigured(
            f"OpenID Connect needs the extra “oidc” ({', '.join(absent)} cannot be imported): "
            "install requirements-extras.txt, or unset READINESS_OIDC_*."
        )
    server = urlsplit(told["SERVER_URL"])
    if server.scheme != "https" and server.hostname not in ("127.0.0.1", "localhost"):
        raise ImproperlyConfigured("READINESS_OIDC_SERVER_URL begins with https://.")
    scopes = env("READINESS_OIDC_SCOPES", default="").split() or ["openid"]
    if "openid" not in scopes:
        raise ImproperlyConfigured("READINESS_OIDC_SCOPES has “openid”.")
    return OpenIDConnect(
        server_url=told["SERVER_URL"],
        client_id=told["CLIENT_ID"],
        client_secret=told["CLIENT_SECRET"],
        name=env("READINESS_OIDC_NAME", default="") or server.hostname or "",
        scopes=tuple(scopes),
        acr_values=tuple(env("READINESS_OIDC_ACR_VALUES", default="").split()),
    )
