"""Kb-search's HTTP edge: `/v1/…` as the contract has it."""

from collections.abc import Sequence

from fastapi import APIRouter

from kb_search.api import articles, desk, search
from kb_search.app.desk import Desk
from kb_search.app.library import Library
from kb_search.app.searching import Searching


def routers(library: Library, searching: Searching, at_hand: Desk) -> Sequence[APIRouter]:
    """All routes."""
    return [articles.routes(library), search.routes(searching, at_hand), desk.routes(at_hand)]
