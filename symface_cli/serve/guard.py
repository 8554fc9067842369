"""What every request has to pass, and what every answer says: for pages of other origins, this server is not there.

A page of any address may send requests to this machine, and a name can be made to lead here (DNS rebinding). So the
Host header must be one of ours, what changes something must come from our own page or from no page at all, and with
another address than this machine's a token is needed.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from symface_cli.serve.problems import problem

COOKIE = "symface-token"
HEALTH = "/api/health"
"""Answered without a token: it says nothing of photos."""
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
EVERYWHERE = frozenset({"0.0.0.0", "::", ""})
SAFE = ("GET", "HEAD", "OPTIONS")

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True)
class Policy:
    """Who may ask.

    Attributes:
        host: The address that the server listens on.
        token: What has to be shown; None if nothing has.
    """

    host: str = "127.0.0.1"
    token: str | None = None

    def knows(self, host: str) -> bool:
        """Tell whether a Host header names this server; if that listens everywhere, only the token tells."""
        if self.host in EVERYWHERE and self.token is not None:
            return True
        return _host_name(host) in LOOPBACK | {self.host.lower()}


class Guard:
    """Middleware around the whole application.

    Args:
        app: The application.
        policy: Who may ask it.
    """

    def __init__(self, app: ASGIApp, policy: Policy) -> None:
        self._app = app
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or have it answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        answer: ASGIApp = self._refuse(scope) or self._app
        await answer(scope, receive, send_with_headers)

    def _refuse(self, scope: Scope) -> Response | None:
        """Return what is answered instead of what was asked for; None for nothing."""
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._policy.knows(hosts[0]):
            return problem(421, "host", "Not this server", "the Host header names another server")
        if scope["method"] not in SAFE and not _is_own(headers, hosts[0]):
            return problem(403, "origin", "Another page", "requests of other pages are not answered")
        return self._ask_for_token(scope, headers)

    def _ask_for_token(self, scope: Scope, headers: Headers) -> Response | None:
        token = self._policy.token
        if token is None or scope["path"] == HEALTH:
            return None
        query = parse_qs(scope["query_string"].decode("latin-1"))
        if scope["path"] == "/" and _is_token(query.pop("token", [""])[0], token):
            rest = urlencode(query, doseq=True)
            response = RedirectResponse("/" + ("?" + rest if rest else ""), 303)
            response.set_cookie(COOKIE, token, httponly=True, samesite="strict", path="/")
            return response
        if any(_is_token(shown, token) for shown in _shown_tokens(headers)):
            return None
        detail = "open the address with ?token=, or send Authorization: Bearer TOKEN"
        return problem(401, "token", "A token is needed", detail, {"WWW-Authenticate": "Bearer"})


def _is_token(shown: str, token: str) -> bool:
    return hmac.compare_digest(shown.encode(), token.encode())


def _shown_tokens(headers: Mapping[str, str]) -> list[str]:
    scheme, _, value = headers.get("authorization", "").partition(" ")
    shown = [value.strip()] if scheme.lower() == "bearer" else []
    try:
        cookie = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return shown
    return [*shown, *(cookie[name].value for name in cookie if name == COOKIE)]


def _is_own(headers: Mapping[str, str], host: str) -> bool:
    """Tell whether a request comes from our own page, or from a program: browsers say where theirs come from."""
    origin = headers.get("origin")
    if origin is not None:
        parts = urlsplit(origin)
        return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()
    return headers.get("sec-fetch-site", "none") in ("same-origin", "none")


def _host_name(host: str) -> str:
    """Return the name in a Host header, without the port; empty if there is none."""
    try:
        return (urlsplit(f"//{host}").hostname or "") if host == host.strip() else ""
    except ValueError:
        return ""
