"""What a customer brings: the contact, the follow-up message and the feedback, as the API takes them."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from events.base import PERSONAL, Fact, FreeJson, Moment, Name, RequestId, Text

Channel = Literal["voice", "email", "chat", "sms", "web", "social"]
Severity = Annotated[int, Field(ge=1, le=4)]
Priority = Annotated[int, Field(ge=0, le=100)]
Score = Annotated[int, Field(ge=1, le=5)]


class Customer(Fact):
    """Who calls or writes: at least one of id, email, phone and handle."""

    id: Text | None = None
    """The customer's id in the caller's own books."""
    name: Annotated[Text | None, PERSONAL] = None
    email: Annotated[Text | None, PERSONAL] = None
    phone: Annotated[Text | None, PERSONAL] = None
    handle: Annotated[Text | None, PERSONAL] = None
    """The name in a chat or a social network."""

    @model_validator(mode="after")
    def _is_somebody(self) -> Self:
        if not (self.id or self.email or self.phone or self.handle):
            raise PydanticCustomError("nobody", "needs at least one of id, email, phone, handle")
        return self


class Context(Fact):
    """What the contact is about, as far as the gateway knows."""

    product: Text | None = None
    version: Text | None = None
    os: Text | None = None


class Step(Fact):
    """One thing that the customer did before he made contact."""

    action: Name
    detail: Text | None = None
    at: Moment | None = None


class Said(Fact):
    """What a contact and a follow-up message have in common."""

    channel: Channel
    subject: Annotated[Text | None, PERSONAL] = None
    body: Annotated[Text | None, PERSONAL] = None
    language: Text | None = None
    """As the gateway names it, mostly a BCP 47 tag."""
    context: Context | None = None
    session: Annotated[list[Step] | None, PERSONAL] = None
    thread: Annotated[Name | None, PERSONAL] = None
    """The gateway's key of a mail thread or chat session; some gateways use the phone number."""
    attributes: Annotated[FreeJson | None, PERSONAL] = None
    occurred_at: Moment | None = None
    """The gateway's own time of receipt."""


class Wish(Fact):
    """What a contact asks of the routing."""

    queue: Name | None = None
    skills: list[Name] | None = None
    support_level: Text | None = None
    severity: Severity | None = None
    """1 is worst; 3 where nothing is said."""
    priority: Priority | None = None
    """100 goes first; 0 where nothing is said."""
    continues: RequestId | None = None
    """The request that this contact is a part of."""


class Contact(Said, Wish):
    """One inbound touch: the body of `POST /v1/contacts`, and the data of an imported ContactReceived."""

    customer: Customer


class Message(Said):
    """A follow-up on any channel: the body of `POST /v1/requests/{id}/messages`."""

    customer: Customer | None = None


class Feedback(Fact):
    """What the customer thought of it: the body of `POST /v1/requests/{id}/feedback`."""

    score: Score
    """5 is best."""
    text: Annotated[Text | None, PERSONAL] = None
