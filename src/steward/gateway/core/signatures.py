"""Signatures over whole requests: AWS Signature Version 4, TikTok Shop's, and HMAC over parts that a tool names. Pure:
the time is handed in, and a secret leaves only as what it signed.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit

from steward.gateway.core.calls import ToolRequest
from steward.gateway.core.templates import as_text, fill_any
from steward.kernel.errors import BadInput

_DIGESTS = {"sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha512": hashlib.sha512}
_SPACE = " "


def sigv4(
    request: ToolRequest, access_key: str, secret: str, region: str, service: str, now: datetime, token: str = ""
) -> ToolRequest:
    """Signed as AWS asks (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
    S3 writes each part of a path quoted once and wants the digest of the content as a header; others quote it twice.
    """
    parts = urlsplit(request.url)
    stamp, day = f"{now:%Y%m%dT%H%M%SZ}", f"{now:%Y%m%d}"
    content = hashlib.sha256(request.body).hexdigest()
    added = {"Host": parts.netloc, "X-Amz-Date": stamp}
    added |= {"X-Amz-Content-Sha256": content} if service == "s3" else {}
    added |= {"X-Amz-Security-Token": token} if token else {}
    headers = {**request.headers, **added}
    lines = {name.lower(): _SPACE.join(value.split()) for name, value in headers.items()}
    signed = ";".join(sorted(lines))
    times = 1 if service == "s3" else 2
    path = unquote(parts.path or "/")
    for _ in range(times):
        path = quote(path, safe="/~")
    pairs = sorted((quote(k, safe="~"), quote(v, safe="~")) for k, v in parse_qsl(parts.query, keep_blank_values=True))
    query = "&".join(f"{name}={value}" for name, value in pairs)
    canonical = "\n".join(
        [request.method, path, query, *[f"{name}:{lines[name]}" for name in sorted(lines)], "", signed, content]
    )
    scope = f"{day}/{region}/{service}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.new(key, f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}".encode(), hashlib.sha256).hexdigest()
    credential = f"AWS4-HMAC-SHA256 Credential={access_key}/{scope}, SignedHeaders={signed}, Signature={signature}"
    url = urlunsplit((parts.scheme, parts.netloc, parts.path or "/", query, ""))
    return replace(request, url=url, headers={**headers, "Authorization": credential})


def tiktok_shop(request: ToolRequest, key: str, secret: str, token: str, now: datetime) -> ToolRequest:
    """`sign` is over the secret, the path, the sorted query, the body and the secret; the token stands in a header."""
    parts = urlsplit(request.url)
    pairs = [
        *parse_qsl(parts.query, keep_blank_values=True),
        ("app_key", key),
        ("timestamp", str(int(now.timestamp()))),
    ]
    text = parts.path + "".join(f"{name}{value}" for name, value in sorted(pairs))
    if not request.headers.get("Content-Type", "").startswith("multipart/"):
        text += request.body.decode("utf-8", "replace")
    sign = hmac.new(secret.encode(), f"{secret}{text}{secret}".encode(), hashlib.sha256).hexdigest()
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in [*pairs, ("sign", sign)])
    url = urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))
    return replace(request, url=url, headers={**request.headers, "x-tts-access-token": token})


def over_parts(request: ToolRequest, options: Mapping[str, Any], secret: str, now: datetime) -> ToolRequest:
    """HMAC over what `signed` names: a template over {method}, {path}, {query}, {body}, {timestamp} and the headers
    {headers.NAME}. It goes into `header` after `prefix`, as hex or base64 (`encoding`); `timestamp_header` tells the
    time signed, in seconds.
    """
    parts, digest = urlsplit(request.url), _DIGESTS.get(str(options.get("algorithm", "sha256")))
    if digest is None or "header" not in options or "signed" not in options:
        raise BadInput(
            "the HMAC of a tool needs an algorithm (sha1, sha256, sha512), a header and what is signed",
            where=f"tools/{request.tool}.yaml",
        )
    stamp = str(int(now.timestamp()))
    values = {
        "method": request.method,
        "path": parts.path,
        "query": parts.query,
        "body": request.body.decode("utf-8", "replace"),
        "timestamp": stamp,
        "headers": request.headers,
    }
    text = fill_any(str(options["signed"]), values)
    if not isinstance(text, str):
        raise BadInput("what is signed names what the request does not hold", where=f"tools/{request.tool}.yaml")
    raw = hmac.new(secret.encode(), as_text(text).encode(), digest).digest()
    written = b64encode(raw).decode() if options.get("encoding") == "base64" else raw.hex()
    headers = {**request.headers, str(options["header"]): f"{options.get('prefix', '')}{written}"}
    if options.get("timestamp_header"):
        headers[str(options["timestamp_header"])] = stamp
    return replace(request, headers=headers)
