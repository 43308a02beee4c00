"""`steward mcp`: the door for language models, and servers of others that are mounted as tools."""

from __future__ import annotations

import os

import click

from steward.cli.output import report_errors


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
