"""The command line: `livemarket run`, `livemarket serve`, `livemarket calibrate`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from livemarket.core.setting import Setting


@click.group()
def main() -> None:
    """A simulated live-shopping world. Everything it makes is simulated.

    Example: livemarket run --days 30 --seed 7 --out shop
    """


@main.command()
@click.option("--days", type=click.IntRange(1, 3000), required=True, help="Days of the run, after the warm-up.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), required=True, help="Same seed, same bytes.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder; new or empty.")
@click.option("--shop", default="small", show_default=True, help="small, medium or large.")
@click.option("--shock", "shocks", multiple=True, help="NAME@DAY, such as strike@10; several allowed.")
@click.option("--opponent", "opponents", multiple=True, help="not_received_ring or card_tester; several allowed.")
@click.option("--errors", type=click.IntRange(0, 500_000), help="Wrong lines per million in outside papers.")
@click.option("--newborn", is_flag=True, help="Begin on the shop's first morning: no paper tells of older orders.")
@click.option("--json", "as_json", is_flag=True, help="The summary as JSON on standard output.")
def run(  # noqa: PLR0913 - one for each option
    *, days: int, seed: int, out: Path, shop: str, shocks: tuple[str, ...], opponents: tuple[str, ...],
    errors: int | None, newborn: bool, as_json: bool,
) -> None:  # fmt: skip
    """A business in files: events, settlement files, bank statements, bills, and the ground truth.

    Exit 0 done, 2 bad usage, 3 the folder cannot be written.

    Example: livemarket run --days 30 --seed 7 --out shop --shock strike@10 --json
    """
    from dataclasses import replace

    from livemarket import catalog
    from livemarket.files import run as files

    if out.exists() and any(out.iterdir()):
        raise click.UsageError(f"{out} is not empty: name a new folder, so that nothing of another run stays in it")
    try:
        setting = catalog.setting(shop)
        chosen = catalog.opponents(opponents)
        planned = catalog.timed_shocks(shocks)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    setting = files.shocked(setting, planned, 0) if newborn else files.shocked(setting, planned)
    setting = replace(setting, opponents=chosen)
    wrong = files.ERROR_PPM if errors is None else errors
    try:
        out.mkdir(parents=True, exist_ok=True)
        with click.progressbar(length=days, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
            summary = files.run(setting, seed, days, out, wrong, lambda: bar.update(1), newborn=newborn)
    except OSError as error:
        click.echo(f"cannot write below {out}: {error}", err=True)
        sys.exit(3)
    if as_json:
        click.echo(json.dumps(summary))
        return
    click.echo(f"simulated {shop} shop, {days} days, seed {seed}, in {out}")
    for key in ("shows", "orders", "refunds", "disputes", "gmv", "events", "faults"):
        click.echo(f"  {key:10} {summary[key]}")


def _setting(shop: str, shocks: tuple[str, ...], opponents: tuple[str, ...], numbers: tuple[str, ...] = ()) -> Setting:
    """A shop with what befalls it, and numbers of its own; a name that is not known is a ValueError."""
    from dataclasses import replace

    from livemarket import catalog
    from livemarket.files import run as files

    setting = files.shocked(catalog.setting(shop), catalog.timed_shocks(shocks))
    parameters = dict(setting.parameters)
    for one in numbers:
        name, _, value = one.partition("=")
        if name not in parameters:
            raise ValueError(f"{name} is no number of parameters.yaml")
        parameters[name] = replace(parameters[name], value=float(value))
    return replace(setting, opponents=catalog.opponents(opponents), parameters=parameters)


@main.command()
@click.option("--days", type=click.IntRange(1, 3000), required=True, help="Days of the business, after the warm-up.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), required=True, help="Same seed and same acts, same world.")
@click.option("--speed", default="real", show_default=True, help="real, manual, or accelerated:FACTOR.")
@click.option("--port", type=click.IntRange(0, 65000), default=0, show_default=True, help="Control face; 0 is any.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for the files of `run`; new.")
@click.option("--shop", default="small", show_default=True, help="small, medium or large.")
@click.option("--shock", "shocks", multiple=True, help="NAME@DAY, such as strike@10; several allowed.")
@click.option("--opponent", "opponents", multiple=True, help="not_received_ring or card_tester; several allowed.")
@click.option("--errors", type=click.IntRange(0, 500_000), help="Wrong lines per million in outside papers.")
@click.option("--people/--no-people", default=True, show_default=True, help="Do people set prices, buy, advertise?")
@click.option("--number", "numbers", multiple=True, help="NAME=VALUE instead of parameters.yaml; several allowed.")
@click.option("--journal", type=click.Path(dir_okay=False, path_type=Path), help="Go on where this file ends.")
@click.option("--dated", type=click.Choice(["real", "business"]), default="real", help="Whose time signatures carry.")
@click.option("--json", "as_json", is_flag=True, help="Addresses and credentials as one line of JSON.")
def serve(  # noqa: PLR0913 - one for each option
    *, days: int, seed: int, speed: str, port: int, out: Path | None, shop: str, shocks: tuple[str, ...],
    opponents: tuple[str, ...], errors: int | None, people: bool, numbers: tuple[str, ...], journal: Path | None,
    dated: str, as_json: bool,
) -> None:  # fmt: skip
    """The providers' HTTP dialects in front of a simulated business, on the loopback address.

    Prints where each face is and what opens it, then answers until it is interrupted. With a journal and a clock that
    is moved by hand, a run that was killed goes on where it stood. Exit 0 then, 2 bad usage, 3 a port or the folder
    cannot be had.

    Example: livemarket serve --seed 7 --days 30 --speed accelerated:3600 --json
    """
    import asyncio

    from livemarket.faces import business, desk
    from livemarket.faces.clock import Clock
    from livemarket.faces.journal import Journal
    from livemarket.files import run as files

    if journal and (speed != "manual" or out):
        raise click.UsageError("a journal needs --speed manual, and no --out")
    if out and out.exists() and any(out.iterdir()):
        raise click.UsageError(f"{out} is not empty: name a new folder, so that nothing of another run stays in it")
    try:
        clock, setting = Clock.of(speed), _setting(shop, shocks, opponents, numbers)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    wrong = files.ERROR_PPM if errors is None else errors
    try:
        if out:
            out.mkdir(parents=True, exist_ok=True)
        opened = business.opened(setting, seed, days, clock, out, people=people, error_ppm=wrong)
        made = desk.Desk(opened, seed)
        if dated == "business":
            made.date_by_business()
        bound = made.bound(port)
        if journal:
            made.keep(Journal(journal, {
                "shop": shop, "seed": seed, "days": days, "errors": wrong, "people": people, "shocks": list(shocks),
                "opponents": list(opponents), **({"numbers": list(numbers)} if numbers else {}),
            }))  # fmt: skip
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    except OSError as error:
        click.echo(f"cannot serve: {error}", err=True)
        sys.exit(3)
    faces = desk.addresses(bound)
    if as_json:
        click.echo(json.dumps({"simulated": True, "shop": shop, "seed": seed, "days": days, "faces": faces}))
    else:
        click.echo(f"simulated {shop} shop, {days} days, seed {seed}, {speed} clock")
        for name, place in faces.items():
            click.echo(f"  {name:10} " + "  ".join(f"{key} {value}" for key, value in place.items()))
    sys.stdout.flush()
    asyncio.run(desk.until_signalled(made, bound))


@main.command()
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder for the page.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--days", type=click.IntRange(28), default=180, show_default=True)
@click.option("--shop", default="medium", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The figures as JSON on standard output.")
def calibrate(*, out: Path, seed: int, days: int, shop: str, as_json: bool) -> None:
    """Every parameter with its source, and simulated beside published figures, as one page with plots.

    Exit 0 if every figure is inside its band, 1 if one is not.

    Example: livemarket calibrate --out calibration
    """
    from livemarket.calibration import page

    out.mkdir(parents=True, exist_ok=True)
    rows = page.write(out, seed, days, shop)
    if as_json:
        click.echo((out / "calibration.json").read_text(encoding="utf-8"))
        sys.exit(0 if all(row.inside for row in rows) else 1)
    for row in rows:
        click.echo(f"{'ok ' if row.inside else 'OUT'} {row.name:44} {row.simulated:>9} published {row.published}")
    sys.exit(0 if all(row.inside for row in rows) else 1)
