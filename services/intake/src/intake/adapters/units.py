"""One transaction on intake's tables, in SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from chassis import idempotency, reservation, store
from chassis.errors import StaleTransaction
from chassis.idempotency import Claim
from chassis.keyring import Keyring, Keys
from chassis.reservation import Reserved
from chassis.store import Append, Appended
from intake.domain.decide import Known, News
from intake.domain.imports import Past
from intake.domain.keys import Use
from intake.domain.lines import Line

_KNOWN = """
select 'r' as kind, request_id as id, request_id, customer_id from requests where request_id = any($1::uuid[])
union all select 't', thread, request_id, customer_id from threads join requests using (request_id)
where thread = any($2::uuid[])
union all select 'i', identifier, null, customer_id from identities where identifier = any($3::uuid[])
"""
# Sorted, so that two replicas that learn the same things at once wait for one another and never in a circle.
_LEARN = """
with t as (
    insert into threads (thread, request_id)
    select * from unnest($1::uuid[], $2::uuid[]) i(thread, request_id) order by thread
    on conflict do nothing returning 1
), i as (
    insert into identities (identifier, customer_id)
    select * from unnest($3::uuid[], $4::text[]) i(identifier, customer_id) order by identifier
    on conflict do nothing returning 1
), r as (
    insert into requests (request_id, customer_id) select * from unnest($5::uuid[], $6::text[]) returning 1
)
select (select count(*) from t) + (select count(*) from i) + (select count(*) from r)
"""
_PAST = """
select 'l' as kind, stream, null::uuid as event_id, null::uuid as content from streams where stream = any($1::text[])
union all select 's', null, event_id, null from events where event_id = any($2::uuid[]) and source <> '/imports'
union all select 't', null, event_id, content from imported where event_id = any($2::uuid[])
"""
_TAKE = """
insert into imported (event_id, content)
select * from unnest($1::uuid[], $2::uuid[]) i(event_id, content) order by event_id on conflict do nothing
"""


class SqlUnit:
    """What live commands and imports share of a transaction."""

    def __init__(self, tx: asyncpg.Connection, keyring: Keyring) -> None:
        self._tx = tx
        self._keyring = keyring

    async def hold(self, streams: Iterable[str]) -> None:
        """See `ports.Unit`."""
        await store.lock_streams(self._tx, streams)

    async def keys(self, key_ids: Iterable[str]) -> Keys:
        """See `ports.Unit`."""
        return await self._keyring.keys_for(self._tx, key_ids)

    async def append(self, appends: Sequence[Append]) -> Appended:
        """See `ports.Unit`."""
        appended = await store.append(self._tx, appends)
        if appended.lost:
            raise StaleTransaction(f"a stream was there already: {min(appended.lost)}")
        return appended


class SqlLiveUnit(SqlUnit):
    """`ports.LiveUnit` in SQL."""

    def __init__(self, tx: asyncpg.Connection, keyring: Keyring, now_us: int) -> None:
        super().__init__(tx, keyring)
        self._now_us = now_us

    async def reserve(self, uses: Sequence[Use]) -> Reserved:
        """See `ports.LiveUnit`."""
        return await reservation.reserve(self._tx, ((use.scope, use.key) for use in uses))

    async def known(self, requests: Iterable[str], threads: Iterable[UUID], identifiers: Iterable[UUID]) -> Known:
        """See `ports.LiveUnit`."""
        wanted = [_uuids(requests), list(threads), list(identifiers)]
        known = Known()
        if not any(wanted):
            return known
        for kind, found, request_id, customer_id in await self._tx.fetch(_KNOWN, *wanted):
            if kind == "i":
                known.identities[found] = customer_id
                continue
            known.customers[str(request_id)] = customer_id
            if kind == "t":
                known.threads[found] = str(request_id)
        return known

    async def learn(self, news: News) -> None:
        """See `ports.LiveUnit`."""
        expected = len(news.threads) + len(news.identities) + len(news.customers)
        if not expected:
            return
        entries: tuple[Mapping[Any, str], ...] = (news.threads, news.identities, news.customers)
        columns = [list(column) for each in entries for column in (each.keys(), each.values())]
        if await self._tx.fetchval(_LEARN, *columns) < expected:
            raise StaleTransaction("another replica learned the same at this moment")

    async def claim(self, claims: Sequence[Claim]) -> None:
        """See `ports.LiveUnit`."""
        claimed = await idempotency.claim(self._tx, claims, now_us=self._now_us)
        if claimed.first:
            raise StaleTransaction("a key was used by another replica at this moment")


class SqlImportUnit(SqlUnit):
    """`ports.ImportUnit` in SQL."""

    async def past(self, lines: Sequence[Line]) -> Past:
        """See `ports.ImportUnit`."""
        past = Past()
        requests = list({line.request_id for line in lines})
        for kind, stream, event_id, content in await self._tx.fetch(_PAST, requests, [line.event_id for line in lines]):
            if kind == "l":
                past.live.add(stream)
            elif kind == "s":
                past.stated.add(event_id)
            else:
                past.taken[event_id] = content
        return past

    async def take(self, lines: Sequence[Line]) -> None:
        """See `ports.ImportUnit`."""
        done = await self._tx.execute(_TAKE, [line.event_id for line in lines], [line.content for line in lines])
        if int(done.split()[-1]) < len(lines):
            raise StaleTransaction("another import took the same id at this moment")


def _uuids(texts: Iterable[str]) -> list[UUID]:
    """Those that are UUIDs as intake writes them: any other text is no live request."""
    found = []
    for text in texts:
        try:
            made = UUID(text)
        except ValueError:
            continue
        if str(made) == text:
            found.append(made)
    return found
