"""`steward tools`: systems outside, what they can do, whether they answer, and how another one is added."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import click

from steward.cli.output import answer, emit, json_option, report_errors
from steward.kernel.canonical import parse_json
from steward.kernel.errors import BadInput


@click.group()
def tools() -> None:
    """Systems outside: what they can do, on what evidence, and whether your credentials work.

    Example: steward tools list --json
    """


@tools.command("list")
@json_option
@report_errors
def list_tools(as_json: bool) -> None:
    """Every tool with its verbs, highest risk, effect rules and evidence; what cannot be called stands apart.

    Example: steward tools list --json
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        document = app.tools.listed()
    lines = [
        f"{one['id']:<20} {len(one['verbs']):>3} verbs  {one['risk']}  {', '.join(one['idempotency']) or '-':<20} "
        f"{', '.join(f'{count} {level}' for level, count in one['evidence'].items())}"
        for one in document["tools"]
    ]
    lines += [f"{one['id']:<20} not callable: {' '.join(one['why'].split())[:80]}" for one in document["not_callable"]]
    lines.append(f"{document['systems']} systems; {document['checked']} checked, {document['documented']} documented")
    emit(document, as_json, "\n".join(lines))


@tools.command()
@click.argument("tool")
@click.argument("verb")
@click.option("--args", "arguments", default="{}", help="The verb's arguments, as JSON.")
@click.option("--pages", default=1, show_default=True, type=click.IntRange(1, 1000), help="How many pages at most.")
@json_option
@report_errors
def read(tool: str, verb: str, arguments: str, pages: int, as_json: bool) -> None:
    """Ask a system one of its reading verbs. What has an effect is refused: that is proposed, not called.

    Example: steward tools read stripe get_balance
    """
    from steward.bootstrap import open_app

    args = parse_json(arguments)
    if not isinstance(args, dict):
        raise BadInput("--args is no JSON object", fix="""write it like '{"limit": 10}'""")
    with open_app() as app:
        document = app.tools.asked(tool, verb, cast("dict[str, Any]", args), pages)
    text = "\n".join(json.dumps(one, indent=1, ensure_ascii=False) for one in document["pages"])
    emit(document, as_json, text or f"{document['ended']}: {document['detail']}")
    answer(document["ended"] == "ok")


@tools.command()
@click.argument("tool")
@json_option
@report_errors
def show(tool: str, as_json: bool) -> None:
    """One tool whole: its verbs, the secrets and settings nobody set, and what keeps verbs from live use.

    Example: steward tools show stripe
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        document = app.tools.show(tool)
    lines = [f"{document['name']}: {document['meaning']}", f"address: {document['address']}"]
    lines += [f"secret {name}: {what}" for name, what in document["auth"]["secrets"].items()]
    lines += [f"not set: {', '.join(document['missing'])}"] if document["missing"] else []
    lines += [f"{one['verb']:<28} {one['risk']}  {one['meaning']}" for one in document["verbs"]]
    emit(document, as_json, "\n".join(lines))


@tools.command()
@click.argument("tool")
@json_option
@report_errors
def check(tool: str, as_json: bool) -> None:
    """Call the tool's self-test with your credentials and record what came of it. Exit 1 where it did not pass.

    Example: steward tools check stripe
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        made = app.tools.check(tool)
    emit(made.to_json(), as_json, f"{tool}: {'passed' if made.passed else 'not passed'}: {made.detail}")
    answer(made.passed)


@tools.command()
@click.argument("what", required=False)
@json_option
@report_errors
def lint(what: str | None, as_json: bool) -> None:
    """What a person must still decide or put right: all tools, one by name, or a file. Exit 1 if anything.

    Example: steward tools lint stripe
    """
    from steward.catalog import ToolBook, load_catalog
    from steward.gateway import Workbench
    from steward.infra.settings import load_settings

    if what is not None and what.endswith((".yaml", ".yml")):
        file = Path(what)
        if not file.is_file() or file.suffix != ".yaml":
            raise BadInput("there is no such file of a tool", where=what, fix="name a file that ends in .yaml")
        errors = Workbench.tool_problems(Workbench.book_of(file), [file.stem])
    else:
        catalog = load_catalog(load_settings().catalog)
        book = ToolBook(catalog.root)
        errors = Workbench.tool_problems(book, [what] if what else book.names())
        errors += [] if what else Workbench.route_problems(book, catalog.routes, catalog.ports)
    lines = [f"{one['where']}: {one['what']} ({one['fix']})" for one in errors]
    emit({"errors": errors}, as_json, "\n".join(lines) or "nothing is left to decide")
    answer(not errors)


@tools.command()
@click.argument("document", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--tool", "name", required=True, help="The tool's name: small letters, digits and underscores.")
@click.option("--operation", "operations", multiple=True, help="An operation id; again for more. All, if they are few.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write here instead of stdout.")
@json_option
@report_errors
def draft(document: Path, name: str, operations: tuple[str, ...], output: Path | None, as_json: bool) -> None:
    """Draft a tool's file from an OpenAPI 3 or Swagger 2 document. `steward tools lint` then says what is left to do.

    Example: steward tools draft openapi.json --tool acme --operation createRefund -o acme.yaml
    """
    import yaml

    from steward.gateway import Workbench

    try:
        given: Any = yaml.load(document.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe loaders
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot be read: {error}", where=str(document)) from error
    if not isinstance(given, dict):
        raise BadInput("is no OpenAPI or Swagger document", where=str(document))
    made = Workbench.drafted(cast("dict[str, Any]", given), name, operations, document.name)
    text = yaml.safe_dump(made, sort_keys=False, allow_unicode=True, width=120)
    if output is None:
        emit(made, as_json, text.rstrip())
    else:
        output.write_text(text, encoding="utf-8")
        click.echo(f"{output}: {len(made['verbs'])} verbs; steward tools lint {output} says what is left", err=True)
