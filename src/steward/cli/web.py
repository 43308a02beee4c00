"""`steward serve`: the plain pages over HTTP."""

from __future__ import annotations

import click

from steward.cli.output import report_errors


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), help="Default: STEWARD_PORT or 7107.")
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Processes that answer.")
@report_errors
def serve(port: int | None, workers: int) -> None:
    """Serve the HTTP API and the plain pages (no JavaScript) on the loopback interface.

    Example: steward serve --port 7107
    """
    run_server(port, workers)


def run_server(port: int | None, workers: int = 1) -> None:
    """Block serving until interrupted. Every worker reads requests, writes the log in batches and tries for the
    sequencer's lease; the head's lock orders them.
    """
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
        workers=workers,
    )
