"""A service of OpenID Connect on loopback, which signs real tokens; it may be told to cheat."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

DISCOVERY = "/auth/realms/esante-wallet/.well-known/wallet-openid-configuration"
"""As Pro Santé Connect has it, which is not the usual name."""


SIGNING = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Service:
    """Knows one client; answers as OpenID Connect Core 1.0 has it, unless told otherwise."""

    def __init__(self, port: int, client_id: str, secret: str) -> None:
        self.issuer = f"http://127.0.0.1:{port}/auth/realms/esante-wallet"
        self.client_id, self.secret = client_id, secret
        self.keys = {"k1": SIGNING}
        self.sub = "f:550e8400:ANS20231122"
        self.acr: str | None = "eidas1"
        self.cheat: Callable[[dict[str, Any]], dict[str, Any]] = lambda claims: claims
        self.sign: Callable[[dict[str, Any]], str] = self.signed
        self.asked: list[dict[str, str]] = []
        """What came to the authorization endpoint."""
        self.tokens: list[dict[str, str]] = []
        """What came to the token endpoint."""
        self.others: list[str] = []
        """What else was asked."""
        self.codes: dict[str, dict[str, str]] = {}
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer(*service.get(self.path))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self.answer(*service.post(self.path, body))

            def answer(self, status: int, body: object) -> None:
                sent = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        # Closing waits for as long as it looks whether it is closed: half a second if not told.
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def get(self, path: str) -> tuple[int, object]:
        if path == DISCOVERY:
            return 200, {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/auth",
                "token_endpoint": f"{self.issuer}/token",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "jwks_uri": f"{self.issuer}/certs",
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
            }
        if path.endswith("/certs"):
            return 200, {"keys": [self.jwk(kid) for kid in self.keys]}
        self.others.append(path)
        return 404, {}

    def jwk(self, kid: str) -> dict[str, Any]:
        key = self.keys[kid].public_key()
        known = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key))
        return {**known, "kid": kid, "use": "sig", "alg": "RS256"}

    def consent(self, address: str) -> str:
        """What a person's browser does there: the address it is sent back to, with a code."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        self.asked.append(asked)
        assert address.startswith(f"{self.issuer}/auth?")
        assert asked["client_id"] == self.client_id
        assert asked["response_type"] == "code"
        code = f"code{len(self.codes)}"
        self.codes[code] = asked
        back = urlsplit(asked["redirect_uri"]).path
        return f"{back}?{urlencode({'code': code, 'state': asked['state']})}"

    def post(self, path: str, body: str) -> tuple[int, object]:
        sent = {name: values[0] for name, values in parse_qs(body).items()}
        self.tokens.append(sent)
        asked = self.codes.pop(sent.get("code", ""), None)  # a code is good once
        if asked is None or sent["redirect_uri"] != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(sent["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if asked["code_challenge_method"] != "S256" or challenge != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        if (sent["client_id"], sent["client_secret"]) != (self.client_id, self.secret):
            return 401, {"error": "invalid_client"}
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": self.sub,
            "aud": self.client_id,
            "azp": self.client_id,
            "iat": now,
            "exp": now + 120,
            "nonce": asked["nonce"],
            "acr": self.acr,
            "given_name": "Anne",
            "family_name": "Martin",
            "email": "anne.martin@example.org",
            "preferred_username": "899700218896",
            "SubjectRefPro": {"exercices": [{"codeProfession": "10"}]},
        }
        token = self.sign(self.cheat(claims))
        return 200, {"access_token": "opaque-access", "token_type": "Bearer", "id_token": token}

    def signed(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, self.keys["k1"], algorithm="RS256", headers={"kid": "k1"})
