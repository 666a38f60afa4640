"""What an error says of the connection that it came from: a table, since most of these come once in a hundred kills."""

import asyncio

import asyncpg
import pytest

from chassis import sessions
from chassis.errors import Conflict, Unavailable


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
        asyncpg.AdminShutdownError("terminating connection due to administrator command"),
        asyncpg.IdleInTransactionSessionTimeoutError("terminating connection"),
        ConnectionResetError(),
        TimeoutError(),
        asyncio.CancelledError(),
        Unavailable("the commit's answer was lost"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_after_these_a_connection_is_thrown_away(error: BaseException) -> None:
    assert sessions.spoils(error)


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.UniqueViolationError("there already"),
        asyncpg.CharacterNotInRepertoireError("NUL"),
        asyncpg.DataError("invalid input for query argument"),
        asyncpg.DeadlockDetectedError("deadlock detected"),
        asyncpg.LockNotAvailableError("lock timeout"),
        asyncpg.UndefinedTableError("no such table"),
        Conflict("taken", state="connected", holder="a-1"),
        ZeroDivisionError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_after_these_it_is_rolled_back_and_used_again(error: BaseException) -> None:
    assert not sessions.spoils(error)


@pytest.mark.parametrize(
    ("error", "is_one"),
    [
        (asyncpg.CharacterNotInRepertoireError("NUL"), True),
        (asyncpg.UniqueViolationError("there already"), True),
        (asyncpg.DataError("invalid input for query argument"), True),
        (asyncpg.DeadlockDetectedError("deadlock detected"), False),
        (asyncpg.InterfaceError("connection is closed"), False),
        (ConnectionResetError(), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_data_error_is_one_that_the_row_itself_causes(error: BaseException, is_one: bool) -> None:
    assert sessions.is_data_error(error) is is_one


@pytest.mark.parametrize(
    "error", [asyncpg.DeadlockDetectedError("deadlock"), asyncpg.InterfaceError("closed"), OSError("refused")]
)
async def test_what_concerns_the_server_is_told_as_unavailable(error: Exception) -> None:
    async def block() -> None:
        async with sessions.answering(1):
            raise error

    with pytest.raises(Unavailable) as told:
        await block()
    assert told.value.__cause__ is error


async def test_a_fault_of_the_program_is_not_taken_for_the_servers_absence() -> None:
    async def block(error: Exception) -> None:
        async with sessions.answering(1):
            raise error

    for error in (asyncpg.PostgresSyntaxError("typo"), asyncpg.ProgramLimitExceededError("a row"), ZeroDivisionError()):
        with pytest.raises(type(error)):
            await block(error)


async def test_what_takes_too_long_is_unavailable() -> None:
    async def block() -> None:
        async with sessions.answering(0.01):
            await asyncio.Event().wait()

    with pytest.raises(Unavailable):
        await block()
