"""Making everything anew from the log's first record."""

from __future__ import annotations

import os

from audit.adapters.log import CONSUMER
from audit.domain.reading import TOPICS
from audit.rebuild.command import run
from audit.settings import AuditSettings
from bench.audit import in_batches
from bench.common import Bench, Claim, Ground, Meter, Sample, Variant, fresh_database
from bench.contact_log import audit_settings, write_log
from chassis import kafka, migrations
from chassis.database import Database
from chassis.logview import LogView

PRODUCT = 50_000
# A rebuild reads up to where the live projection is, which here is the end of the log.
LIVE_AT_THE_END = """
insert into consumer_offsets (consumer, topic, partition, next_offset, epoch, holder)
values ($1, $2, $3, $4, 1, 'bench')
"""


async def product(ground: Ground) -> Sample:
    """Audit's rebuild, from the empty shadow to the swap."""
    async with fresh_database(ground, "rebuild") as url:
        told = audit_settings(ground, url, "rebuild")
        await migrations.migrate(url, "audit")
        total = await write_log(told, ground.amount(PRODUCT))
        db = Database(url, name="bench")
        await db.open()
        async with db.connection() as connection:
            for place, end in (await _ends(told)).items():
                await connection.execute(LIVE_AT_THE_END, CONSUMER, *place, end)
        await db.close()
        with Meter({"service": (os.getpid(),), "postgres": ground.postgres_pids}) as meter:
            taken = await run(told, lambda *_: None, from_records=False)
        if taken != total:
            raise RuntimeError(f"{taken} records were taken in, {total} were written")
        return meter.sample(total)


async def _ends(told: AuditSettings) -> dict[tuple[str, int], int]:
    view = LogView(told, TOPICS)
    try:
        return await view.ends([(topic, n) for topic in TOPICS for n in range(kafka.partitions_of(told, topic))])
    finally:
        await view.close()


BENCH = Bench(
    name="rebuild",
    question="how fast is the projection made anew from the whole log?",
    unit="record",
    guarantees="every byte kept, an exact summary of each request, the place in the log with them",
    variants=(
        Variant("batches", "the usual consumer from the log's beginning, 500 in a transaction", in_batches),
        Variant(
            "Throughline",
            "as many processes as cores share the partitions; COPY, folded in memory, indexed, swapped",
            product,
        ),
    ),
    claims=(Claim("per_s", "batches", 4),),
    figures=("per_s", "service_cpu_us", "postgres_cpu_us"),
)
