"""Taking contacts in as it is usually done, with intake's guarantees: a FastAPI model, a SQLAlchemy session a request.

The same rows are written as intake writes, by the ORM and in one transaction for each request: the event, the key under
which it is idempotent with its first answer, the customer's identity, the request, and the customer's key, wrapped; the
same members are sealed under it. `python -m bench.usual_intake` serves it with DATABASE_URL and THROUGHLINE_PORT.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import uuid
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from secrets import compare_digest
from typing import Annotated, Any

import uvicorn
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from email_validator import EmailNotValidError, validate_email
from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response
from pydantic import BaseModel
from sqlalchemy import BigInteger, Identity, LargeBinary, UniqueConstraint
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from events.contacts import Contact
from events.times import to_text

PERSONAL = ("subject", "body", "session", "attributes", "thread")
WHO = ("name", "email", "phone", "handle")


class Base(DeclarativeBase):
    """All tables."""


class Event(Base):
    """An outbox row."""

    __tablename__ = "events"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    event_id: Mapped[uuid.UUID] = mapped_column(unique=True)
    stream: Mapped[str]
    version: Mapped[int]
    type: Mapped[str]
    occurred_us: Mapped[int] = mapped_column(BigInteger)
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    published: Mapped[bool] = mapped_column(default=False)
    __table_args__ = (UniqueConstraint("stream", "version"),)


class Key(Base):
    """An idempotency key with its first answer."""

    __tablename__ = "idempotency_keys"
    key: Mapped[str] = mapped_column(primary_key=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    answer: Mapped[bytes] = mapped_column(LargeBinary)


class Known(Base):
    """Whose address or number it is."""

    __tablename__ = "identities"
    identifier: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[str]


class CustomerKey(Base):
    """A customer's key, wrapped."""

    __tablename__ = "customer_keys"
    key_id: Mapped[str] = mapped_column(primary_key=True)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)


class Received(Base):
    """A request and its customer."""

    __tablename__ = "requests"
    request_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[str]


class Accepted(BaseModel):
    """The answer."""

    request_id: str
    event_id: str
    received_at: str
    duplicate: bool


def build(database_url: str, token: str, master: AESGCM) -> FastAPI:
    """The application."""
    engine = create_async_engine(database_url.replace("postgresql://", "postgresql+asyncpg://"), pool_size=8)
    sessions = async_sessionmaker(engine, expire_on_commit=False)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        yield
        await engine.dispose()

    app = FastAPI(lifespan=lifespan)

    async def authorised(authorization: Annotated[str, Header()] = "") -> None:
        if not compare_digest(authorization, f"Bearer {token}"):
            raise HTTPException(401)

    @app.post("/v1/contacts", status_code=202, response_model=Accepted, dependencies=[Depends(authorised)])
    async def receive(
        contact: Contact, request: Request, response: Response, idempotency_key: Annotated[str, Header(max_length=255)]
    ) -> Accepted:
        digest = hashlib.sha256(json.dumps(await request.json(), sort_keys=True).encode()).digest()
        async with sessions() as session, session.begin():
            answer = await _taken(session, master, contact, idempotency_key, digest)
        # Only now, after the commit: code behind a dependency's yield would run when the answer is out already.
        response.headers["location"] = f"/v1/requests/{answer.request_id}/timeline"
        return answer

    @app.get("/readyz")
    async def ready() -> dict[str, str]:
        return {"status": "ready"}

    return app


async def _taken(session: AsyncSession, master: AESGCM, contact: Contact, key: str, digest: bytes) -> Accepted:
    now_us, request_id, event_id = time.time_ns() // 1_000, uuid.uuid4(), uuid.uuid4()
    received_at = to_text(now_us)
    answer = Accepted(request_id=str(request_id), event_id=str(event_id), received_at=received_at, duplicate=False)
    claim = insert(Key).values(key=key, hash=digest, answer=answer.model_dump_json().encode())
    if (await session.execute(claim.on_conflict_do_nothing().returning(Key.key))).first() is None:
        return await _first(session, key, digest)
    customer_id = await _known(session, contact)
    sealer = await _key(session, master, customer_id, now_us)
    session.add(Received(request_id=request_id, customer_id=customer_id))
    session.add(
        Event(
            event_id=event_id,
            stream=str(request_id),
            version=1,
            type="ContactReceived",
            occurred_us=now_us,
            payload=_sealed(sealer, contact, customer_id, event_id),
        )
    )
    return answer


async def _first(session: AsyncSession, key: str, digest: bytes) -> Accepted:
    first = await session.get_one(Key, key)
    if first.hash != digest:
        raise HTTPException(422)
    return Accepted.model_validate_json(first.answer).model_copy(update={"duplicate": True})


async def _known(session: AsyncSession, contact: Contact) -> str:
    """The customer's id, his address learned on the way."""
    if not contact.customer.email:
        return str(contact.customer.id)
    try:
        address = validate_email(contact.customer.email, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        address = contact.customer.email
    identifier = uuid.uuid5(uuid.NAMESPACE_URL, address)
    known = await session.get(Known, identifier)
    if known is not None:
        return contact.customer.id or known.customer_id
    customer_id = contact.customer.id or str(identifier)
    learn = insert(Known).values(identifier=identifier, customer_id=customer_id)
    await session.execute(learn.on_conflict_do_nothing())
    return customer_id


async def _key(session: AsyncSession, master: AESGCM, customer_id: str, now_us: int) -> AESGCM:
    """The customer's key, made and told with his first contact."""
    kept = await session.get(CustomerKey, customer_id)
    if kept is not None:
        return AESGCM(master.decrypt(kept.wrapped[:12], kept.wrapped[12:], customer_id.encode()))
    made, nonce = AESGCM.generate_key(256), os.urandom(12)
    wrapped = nonce + master.encrypt(nonce, made, customer_id.encode())
    session.add(CustomerKey(key_id=customer_id, wrapped=wrapped))
    session.add(
        Event(
            event_id=uuid.uuid4(),
            stream=f"key:{customer_id}",
            version=1,
            type="KeyMade",
            occurred_us=now_us,
            payload=json.dumps({"key_id": customer_id, "wrapped": b64encode(wrapped).decode()}).encode(),
        )
    )
    return AESGCM(made)


def _sealed(sealer: AESGCM, contact: Contact, customer_id: str, event_id: uuid.UUID) -> bytes:
    data: dict[str, Any] = contact.model_dump(mode="json", exclude_unset=True) | {"customer_id": customer_id}
    personal = {name: data.pop(name) for name in PERSONAL if name in data}
    personal["customer"] = {name: data["customer"].pop(name) for name in WHO if name in data["customer"]}
    nonce = os.urandom(12)
    box = sealer.encrypt(nonce, json.dumps(personal).encode(), str(event_id).encode())
    data["sealed"] = {"key_id": customer_id, "nonce": b64encode(nonce).decode(), "box": b64encode(box).decode()}
    return json.dumps(data).encode()


def main() -> None:
    """Serves until SIGTERM."""
    environment = os.environ
    app = build(environment["DATABASE_URL"], environment["BENCH_TOKEN"], AESGCM(bytes(range(32))))
    uvicorn.run(app, host="127.0.0.1", port=int(environment["THROUGHLINE_PORT"]), log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
