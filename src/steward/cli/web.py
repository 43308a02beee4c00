"""`steward up`, `serve` and `worker`: the processes that stay."""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType

import click

from steward.cli.output import report_errors


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), help="Default: STEWARD_PORT or 7107.")
@report_errors
def up(port: int | None) -> None:
    """Everything in one process: HTTP API, pages and background work.

    Example: steward up --port 7107
    """
    from steward.bootstrap import open_app
    from steward.worker import Worker

    with open_app() as app:
        worker = Worker(app, lambda what: click.echo(f"worker: {what}", err=True))
        working = threading.Thread(target=worker.run, name="worker", daemon=True)
        working.start()
        try:
            run_server(port)
        finally:
            worker.stop()
            working.join()
    _leave()


@click.command(name="worker")
@report_errors
def work() -> None:
    """Background work only: sequence the outbox, post to the books, keep read models up to date. Run any number.

    Example: steward worker
    """
    from steward.bootstrap import open_app
    from steward.worker import Worker

    with open_app() as app:
        worker = Worker(app, lambda what: click.echo(f"worker: {what}", err=True))

        def end(_number: int, _frame: FrameType | None) -> None:
            worker.stop()

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        click.echo("working; Ctrl-C ends", err=True)
        worker.run()
    _leave()


def _leave() -> None:
    """End now where a run that waits for a signal would keep the process: another worker has it by then."""
    from steward.infra.durable import keeps_the_process

    if keeps_the_process():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), help="Default: STEWARD_PORT or 7107.")
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Processes that answer.")
@report_errors
def serve(port: int | None, workers: int) -> None:
    """Serve the HTTP API and the plain pages (no JavaScript) on the loopback interface; no background work.

    Example: steward serve --port 7107
    """
    run_server(port, workers)


def run_server(port: int | None, workers: int = 1) -> None:
    """Block serving until interrupted. Every process reads requests and writes the log in batches; the head's lock
    orders them.
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
