"""Parked records: set aside with their bytes and the reason, and replayed in order when a command says so."""

from chassis.database import Database


async def mark(db: Database, *, consumer: str | None = None, key: bytes | None = None) -> int:
    """Mark parked records for a replay and return how many; the partitions' owners replay them."""
    raise NotImplementedError
