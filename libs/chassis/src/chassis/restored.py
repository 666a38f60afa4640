"""After a dump was restored into a new cluster: gives the event rows numbers that this cluster can go on from.

A new cluster counts transactions from the beginning, so old rows lie above everything that it hands out for a long
time, and the relay, whose order those numbers are, would pass new rows over in silence.
"""

from typing import Final

import asyncpg

# Whatever is not surely published is published again, under its old event id: ids grow with every insert, so all that
# the new cluster wrote lies above the cursor's id, and all that the old one left lies above the cursor.
_UNPUBLISHED: Final = """
update events e set txid = pg_current_xact_id() from relay_lease r
where r.name = 'relay' and ((e.txid, e.id) > (r.txid, r.id) or e.id > r.id)
"""
_PUBLISHED: Final = "update events set txid = '0' where txid > pg_current_xact_id()"
_CURSOR: Final = "update relay_lease set txid = pg_current_xact_id(), id = 0, until = '-infinity', epoch = epoch + 1"
_STREAMS: Final = "update streams set last_txid = '0' where last_txid > pg_current_xact_id()"


async def renumber(dsn: str) -> int:
    """Renumbers rows, streams and the cursor in one transaction; how many rows will be published (again).

    All replicas of the service must be stopped. Takes as long as writing the table once; a relay that runs all the same
    is fenced.
    """
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute("lock table events, streams, relay_lease in exclusive mode")
            waiting = await connection.execute(_UNPUBLISHED)
            await connection.execute(_PUBLISHED)
            await connection.execute(_STREAMS)
            await connection.execute(_CURSOR)
        return int(waiting.split()[-1])
    finally:
        await connection.close()
