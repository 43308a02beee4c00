"""`steward serve`: the plain pages over HTTP."""

from __future__ import annotations

import click

from steward.cli.output import report_errors


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), help="Default: STEWARD_PORT or 7107.")
@report_errors
def serve(port: int | None) -> None:
    """Serve the plain pages (no JavaScript) on the loopback interface.

    Example: steward serve --port 7107
    """
    run_server(port)


def run_server(port: int | None) -> None:
    """Block serving pages until interrupted."""
    import uvicorn

    from steward.infra.connect import open_database
    from steward.infra.settings import load_settings

    settings = load_settings()
    open_database(settings).close()  # trouble with the database is told here, in one line, not in a server's trace
    uvicorn.run(
        "steward.api.app:create_app",
        factory=True,
        host=settings.host,
        port=settings.port if port is None else port,
        log_level="warning",
    )
