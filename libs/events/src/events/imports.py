"""Which events of the past can be imported, and the model that the data of each is checked with."""

from typing import Final

from events.base import Fact
from events.contacts import past
from events.contacts.contact import Contact, Feedback

IMPORTABLE: Final[dict[str, type[Fact]]] = {
    "ContactReceived": Contact,
    "MessageReceived": past.MessageReceived,
    "Routed": past.Routed,
    "Connected": past.Connected,
    "OfferClosed": past.OfferClosed,
    "Paused": past.Paused,
    "Transferred": past.Transferred,
    "Escalated": past.Escalated,
    "Requeued": past.Requeued,
    "Resumed": past.Resumed,
    "Resolved": past.Resolved,
    "Abandoned": past.Abandoned,
    "Reopened": past.Reopened,
    "FeedbackReceived": Feedback,
}
