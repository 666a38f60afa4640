"""Events that intake states: what reached it from the customer."""

from events.base import Text
from events.contacts.contact import Contact, Feedback, Message, Wish


class ContactReceived(Contact):
    """A new request began with this contact."""

    customer_id: Text | None = None
    """Who it is: `customer.id`, or the identity that intake found or made."""


class MessageReceived(Message, Wish):
    """The customer followed up, by a message or by a contact that continues the request."""

    customer_id: Text | None = None
    """Whose request it is."""


class FeedbackReceived(Feedback):
    """The customer said what he thought of it."""

    customer_id: Text | None = None
    """Whose request it is."""
