"""The topic `contacts`: everything that happens to a request."""

from events.contacts.contact import Channel, Contact, Context, Customer, Feedback, Message, Step
from events.contacts.intake import ContactReceived, FeedbackReceived, MessageReceived
from events.contacts.promises import Escalated, SlaBreached, SlaMet, SlaWarned, SlaWithdrawn
from events.contacts.routing import (
    Abandoned,
    Candidate,
    Connected,
    Decision,
    Excluded,
    OfferClosed,
    Paused,
    Reopened,
    Requeued,
    Resolved,
    Resumed,
    Routed,
    Transferred,
)
from events.contacts.suggestions import Suggestion, SuggestionShown, SuggestionUsed

__all__ = [
    "Abandoned",
    "Candidate",
    "Channel",
    "Connected",
    "Contact",
    "ContactReceived",
    "Context",
    "Customer",
    "Decision",
    "Escalated",
    "Excluded",
    "Feedback",
    "FeedbackReceived",
    "Message",
    "MessageReceived",
    "OfferClosed",
    "Paused",
    "Reopened",
    "Requeued",
    "Resolved",
    "Resumed",
    "Routed",
    "SlaBreached",
    "SlaMet",
    "SlaWarned",
    "SlaWithdrawn",
    "Step",
    "Suggestion",
    "SuggestionShown",
    "SuggestionUsed",
    "Transferred",
]
