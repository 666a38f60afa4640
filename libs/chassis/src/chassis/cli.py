"""The command line of every service: `python -m <service> serve|migrate|openapi|replay-parked`."""

from collections.abc import Callable
from typing import TypeVar

import typer
from fastapi import FastAPI

from chassis.service import Service
from chassis.settings import ServiceSettings

S = TypeVar("S", bound=ServiceSettings)


def commands(
    name: str,
    *,
    settings: type[S],
    build: Callable[[S], FastAPI],
    package: str,
    help: str = "",
) -> typer.Typer:
    """The Typer application of one service; add its own commands to it.

    `package` is the import package that holds `migrations`. `build` returns an app made by `web.application`, whose
    `state.service` is the `Service`.
    """
    raise NotImplementedError


def service_of(app: FastAPI) -> Service:
    """The `Service` that `web.application` put into the application's state."""
    service = app.state.service
    assert isinstance(service, Service)
    return service
