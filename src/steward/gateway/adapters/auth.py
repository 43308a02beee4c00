"""Signs requests. Secrets are read from the vault when they are needed, and stand nowhere but in the request sent."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from steward.contracts.tool import Auth, ToolSpec
from steward.gateway.core import signatures
from steward.gateway.core.calls import ToolRequest
from steward.gateway.core.templates import as_text, fill_any
from steward.infra.clock import Clock
from steward.infra.vault import Vault
from steward.kernel.errors import BadInput

Tokens = Callable[[ToolSpec], str]
"""The access token of a tool with OAuth 2, renewed where it is due."""


def missing_secrets(tool: ToolSpec, vault: Vault) -> list[str]:
    """Names of secrets a tool needs and nobody set."""
    return [name for name in tool.auth.secrets if not vault.keys.get(f"{tool.tool}_{name}")]


def secrets_of(tool: ToolSpec, vault: Vault) -> frozenset[str]:
    """Every secret of a tool that is set, so that it can be kept out of what is written down."""
    prefix = f"{tool.tool}_"
    return frozenset(value for name, value in vault.keys.items() if name.startswith(prefix) and len(value) > 3)


class Authorizer:
    """Puts a tool's credentials on a request."""

    def __init__(self, vault: Vault, tokens: Tokens, clock: Clock) -> None:
        self._vault = vault
        self._tokens = tokens
        self._clock = clock

    def signed(self, tool: ToolSpec, request: ToolRequest) -> ToolRequest:
        """The request with what shows who we are. `BadInput` where a secret is not set."""
        auth, options = tool.auth, tool.auth.options
        for header, secret in options.get("headers", {}).items():
            request = _with(request, header, self._secret(tool, secret))
        for mark, secret in options.get("replace", {}).items():
            value = json.dumps(self._secret(tool, secret))[1:-1].encode()
            request = replace(request, body=request.body.replace(str(mark).encode(), value))
        if auth.scheme in ("none", "protocol"):
            return request
        if auth.scheme == "bearer":
            return _with(request, "Authorization", f"Bearer {self._secret(tool, options['secret'])}")
        if auth.scheme == "oauth2":
            header = str(options.get("header", "Authorization"))
            prefix = str(options.get("prefix", "Bearer "))
            return _with(request, header, f"{prefix}{self._tokens(tool)}")
        if auth.scheme == "basic":
            pair = f"{self._part(tool, options, 'user')}:{self._part(tool, options, 'password')}"
            return _with(request, "Authorization", f"Basic {b64encode(pair.encode()).decode()}")
        if auth.scheme == "header":
            value = f"{options.get('prefix', '')}{self._secret(tool, options['secret'])}"
            return _with(request, str(options["header"]), value)
        if auth.scheme == "query":
            mark = "&" if "?" in request.url else "?"
            value = quote(self._secret(tool, options["secret"]), safe="")
            return replace(request, url=f"{request.url}{mark}{options['parameter']}={value}")
        if auth.scheme == "sigv4":
            return self._sigv4(tool, request)
        return self._hmac(tool, request)

    def _sigv4(self, tool: ToolSpec, request: ToolRequest) -> ToolRequest:
        options = tool.auth.options
        prefix = f"{tool.tool}_"
        given = {name: self._vault.settings.get(f"{prefix}{name}", "") for name in tool.settings}
        token = self._secret(tool, "session_token") if "session_token" in tool.auth.secrets else ""
        return signatures.sigv4(
            request,
            self._secret(tool, "access_key_id"),
            self._secret(tool, "secret_access_key"),
            as_text(fill_any(str(options["region"]), {"settings": given})),
            str(options["service"]),
            self._clock.now(),
            token,
        )

    def _hmac(self, tool: ToolSpec, request: ToolRequest) -> ToolRequest:
        options, now = tool.auth.options, self._clock.now()
        secret = self._secret(tool, options["secret"])
        if options.get("style") == "tiktok_shop":
            key, token = self._secret(tool, options["key"]), self._secret(tool, options["token"])
            return signatures.tiktok_shop(request, key, secret, token, now)
        return signatures.over_parts(request, options, secret, now)

    def _part(self, tool: ToolSpec, options: Mapping[str, Any], name: str) -> str:
        """A secret, or a literal that stands behind an equals sign."""
        value = str(options.get(name, "="))
        return value[1:] if value.startswith("=") else self._secret(tool, value)

    def _secret(self, tool: ToolSpec, name: object) -> str:
        value = self._vault.keys.get(f"{tool.tool}_{name}", "")
        if not value:
            raise BadInput(
                f"the secret {name} of {tool.tool} is not set ({tool.auth.secrets.get(str(name), '')})",
                fix="set " + f"STEWARD_KEY_{tool.tool}_{name}".upper() + f" or keys.{tool.tool}_{name} in secrets.yaml",
            )
        return value


def _with(request: ToolRequest, header: str, value: str) -> ToolRequest:
    if not value.isascii() or not value.isprintable():
        raise BadInput(f"a credential of {request.tool} holds what no header may", fix="printable ASCII only")
    return replace(request, headers={**request.headers, header: value})


def added(request: ToolRequest, signed: ToolRequest) -> frozenset[str]:
    """What signing put on a request: tokens and encoded pairs that an answer may echo, and nobody may write down."""
    values = {value for name, value in signed.headers.items() if request.headers.get(name) != value}
    if signed.url != request.url:
        before = set(parse_qsl(urlsplit(request.url).query))
        values |= {pair[1] for pair in parse_qsl(urlsplit(signed.url).query) if pair not in before}
    parts = {part for value in values for part in (value, value.rpartition(" ")[2])}
    return frozenset(text for part in parts if len(part) > 7 for text in (part, quote(part, safe="")))


def scheme_needs(auth: Auth) -> set[str]:
    """Names of secrets that a scheme's options use."""
    named = [str(auth.options[key]) for key in ("secret", "user", "password") if key in auth.options]
    return {name for name in named if not name.startswith("=")}
