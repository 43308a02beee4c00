"""`steward mcp`: the door for language models, and servers of others that are mounted as tools."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import cast

import click

from steward.cli.output import answer, emit, json_option, report_errors
from steward.kernel.canonical import JsonObject, parse_json
from steward.kernel.errors import BadInput


@click.group(invoke_without_command=True)
@click.option("--http", "port", type=click.IntRange(0, 65535), help="Streamable HTTP on this port of the loopback.")
@click.pass_context
@report_errors
def mcp(context: click.Context, port: int | None) -> None:
    """Serve reading tools and `propose_action` over the Model Context Protocol; nothing that approves.

    Over standard input and output the caller is the API key in STEWARD_API_KEY; over HTTP each request brings its own
    (Authorization: Bearer), at /mcp.

    Example: steward mcp --http 7108
    """
    if context.invoked_subcommand is not None:
        return
    from steward.bootstrap import open_app
    from steward.mcp import serve_http, serve_stdio

    with open_app() as app:
        if port is None:
            serve_stdio(app, os.environ.get("STEWARD_API_KEY", ""))
        else:
            serve_http(app, port, lambda bound: click.echo(f"http://127.0.0.1:{bound}/mcp", err=True))


@mcp.command("list")
@click.argument("server", required=False)
@json_option
@report_errors
def list_mounted(server: str | None, as_json: bool) -> None:
    """Tools of the servers in mcp_servers.yaml, each accepted, new, changed or gone. Exit 1 if any changed.

    Example: steward mcp list weather --json
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        names = [server] if server else sorted(app.mounts.servers())
        items = [{"server": name, **asdict(one)} for name in names for one in app.mounts.look(name)]
    lines = [f"{one['server']}.{one['name']:<30} {one['state']:<9} {one['description'][:60]}" for one in items]
    emit({"items": items}, as_json, "\n".join(lines) or "no tools")
    answer(all(one["state"] != "changed" for one in items))


@mcp.command()
@click.argument("server")
@click.option("--by", required=True, help="Who read the descriptions.")
@click.option("--reason", required=True, help="Why.")
@json_option
@report_errors
def mount(server: str, by: str, reason: str, as_json: bool) -> None:
    """Accept every tool a server offers now that is new. Read `steward mcp list` first: models are told these words.

    Example: steward mcp mount weather --by owner --reason "rain decides how many watch"
    """
    _accept(server, (), by, reason, as_json)


@mcp.command()
@click.argument("server")
@click.argument("tools", nargs=-1, required=True)
@click.option("--by", required=True, help="Who read the descriptions.")
@click.option("--reason", required=True, help="Why.")
@json_option
@report_errors
def accept(server: str, tools: tuple[str, ...], by: str, reason: str, as_json: bool) -> None:
    """Accept tools by name, as their server describes them now. Until then what changed is refused.

    Example: steward mcp accept weather forecast --by owner --reason "a clearer description"
    """
    _accept(server, tools, by, reason, as_json)


@mcp.command()
@click.argument("server")
@click.argument("tool")
@click.option("--args", "arguments", default="{}", help="Its arguments, as JSON.")
@json_option
@report_errors
def call(server: str, tool: str, arguments: str, as_json: bool) -> None:
    """Call a tool of another server that only reads, as it was accepted. Exit 1 where it is refused.

    Example: steward mcp call weather forecast --args '{"town": "Leeds"}'
    """
    from steward.bootstrap import open_app

    args = parse_json(arguments)
    if not isinstance(args, dict):
        raise BadInput("--args is no JSON object", fix="""write it like '{"town": "Leeds"}'""")
    with open_app() as app:
        made = app.mounts.call(server, tool, cast("JsonObject", args))
    document = {"server": server, "tool": tool, "outcome": made.kind, "code": made.code, "result": made.result}
    said = json.dumps(made.result, indent=1, ensure_ascii=False) if made.result else f"{made.code}: {made.detail}"
    emit({**document, "detail": made.detail}, as_json, said)
    answer(made.kind == "ok")


def _accept(server: str, tools: tuple[str, ...], by: str, reason: str, as_json: bool) -> None:
    from steward.bootstrap import open_app

    with open_app() as app:
        chosen = app.mounts.accept(server, tools, by, reason)
    items = [{"server": server, "name": one.name, "digest": one.offered} for one in chosen]
    emit({"accepted": items}, as_json, "\n".join(f"{server}.{one.name} accepted" for one in chosen) or "nothing new")
