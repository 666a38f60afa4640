"""The command line of every service: `python -m <service> serve|migrate|openapi|replay-parked`."""

from __future__ import annotations

import asyncio
import base64
import sys
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import orjson
import typer
from pydantic import ValidationError

from chassis import logs, migrations
from chassis.database import Database
from chassis.errors import ChassisError
from chassis.settings import ServiceSettings

# The application and what serves it are most of a start, and to migrate needs neither: each command imports its own.
if TYPE_CHECKING:
    from fastapi import FastAPI

    from chassis.service import Service

S = TypeVar("S", bound=ServiceSettings)


def commands(
    name: str,
    *,
    settings: type[S],
    package: str,
    build: Callable[[S], FastAPI] | None = None,
    help: str = "",  # noqa: A002 - Typer's own word for it
) -> typer.Typer:
    """The Typer application of one service; add its own commands to it.

    `package` is the import package that holds `migrations`. `build` returns an app made by `web.application`: the one
    of the package's `main`, unless another is given.
    """

    def built(given: S) -> FastAPI:
        make: Callable[[S], FastAPI] = build or import_module(f"{package}.main").build
        return make(given)

    line = typer.Typer(name=name, help=help, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

    @line.command("serve")
    def _serve() -> None:
        """Serve HTTP and run the background tasks until SIGTERM (graceful, within ten seconds)."""
        from chassis.server import serve

        given = settings_of(settings)
        if given.port is None:
            fail("THROUGHLINE_PORT is required to serve")
        logs.configure(name, given.log_level)
        app = built(given)
        raise typer.Exit(serve(app, service_of(app), given.host, given.port))

    @line.command("migrate")
    def _migrate() -> None:
        """Bring the database's schema to the newest revision. Others that migrate at the same time wait."""
        given = settings_of(settings)
        logs.configure(name, given.log_level)
        refusing(lambda: migrations.upgrade(given.dsn, package))

    @line.command("openapi")
    def _openapi() -> None:
        """Print the OpenAPI document. Needs no environment and no server."""
        app = built(settings.model_validate(_nowhere()))
        sys.stdout.buffer.write(orjson.dumps(app.openapi(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))

    @line.command("replay-parked")
    def _replay_parked(
        consumer: Annotated[str | None, typer.Option(help="Only this consumer's records.")] = None,
        key: Annotated[str | None, typer.Option(help="Only this key's records, for instance a request's id.")] = None,
    ) -> None:
        """Mark parked records for a replay; the process that owns their partition then replays them in order.

        Example: python -m router replay-parked --key 018f3c6e-0000-7000-8000-000000000001
        """
        given = settings_of(settings)
        marked = asyncio.run(_mark(given, consumer, key))
        typer.echo(f"{marked} parked record(s) marked for a replay")

    @line.command("renumber")
    def _renumber() -> None:
        """Once, after a dump was restored into another PostgreSQL cluster, with every replica stopped.

        The relay reads by PostgreSQL's transaction numbers, which a new cluster counts from the beginning. What is not
        surely published is published again, under the same event ids.
        """
        from chassis import restored

        given = settings_of(settings)
        waiting = asyncio.run(restored.renumber(given.dsn))
        typer.echo(f"{waiting} event(s) will be published when the service is started")

    return line


def service_of(app: FastAPI) -> Service:
    """The `Service` that `web.application` put into the application's state."""
    from chassis.service import Service

    service = app.state.service
    assert isinstance(service, Service)
    return service


def settings_of(settings: type[S]) -> S:
    """The settings from the environment; ends the process with one line for each variable that is wrong."""
    try:
        return settings.from_environment()
    except ValidationError as error:
        found = (f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors(include_input=False))
        fail("the environment is not complete:\n  " + "\n  ".join(found))


def refusing(work: Callable[[], None]) -> None:
    """Run `work`; an expected error ends the process with its one sentence instead of a traceback."""
    try:
        work()
    except ChassisError as error:
        fail(str(error))


def fail(reason: str) -> NoReturn:
    """Say why on stderr and end the process with 2."""
    typer.echo(reason, err=True)
    raise typer.Exit(2)


async def _mark(settings: ServiceSettings, consumer: str | None, key: str | None) -> int:
    from chassis import parking

    db = Database(settings.dsn, name="replay-parked", most=1)
    await db.open()
    try:
        return await parking.mark(db, consumer=consumer, key=None if key is None else key.encode())
    finally:
        await db.close()


def _nowhere() -> dict[str, object]:
    """Settings with which an application can be built but reach nothing."""
    return {
        "DATABASE_URL": "postgresql://nowhere.invalid/none",
        "KAFKA_BOOTSTRAP_SERVERS": "nowhere.invalid:9092",
        "THROUGHLINE_MASTER_KEY": base64.b64encode(bytes(range(32))).decode(),
        "THROUGHLINE_TOKENS": {},
    }
