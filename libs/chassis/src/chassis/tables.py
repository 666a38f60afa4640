"""The chassis's own tables, made by each service's first migration."""

from alembic.operations import Operations


def create(op: Operations) -> None:
    """streams, events, relay_lease, idempotency_keys, customer_keys, deployment_facts and what the consumer needs."""
    raise NotImplementedError


def drop(op: Operations) -> None:
    """Undoes `create`."""
    raise NotImplementedError
