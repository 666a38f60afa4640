"""Under whose key personal data is sealed."""

from typing import Final

from events.canonical import content_hash, uuid8

LONGEST: Final = 200
REQUEST: Final = "request:"
CUSTOMER: Final = "customer:"


def of_customer(customer_id: str) -> str:
    """The customer's own: his id, or a stand-in where that is too long for an index or looks like another kind."""
    if len(customer_id) <= LONGEST and not customer_id.startswith((REQUEST, CUSTOMER)):
        return customer_id
    return f"{CUSTOMER}{uuid8(content_hash({'customer_id': customer_id}))}"


def of_request(request_id: str) -> str:
    """The request's own: for imports, whose customer need not be known, and where the customer's was destroyed."""
    return f"{REQUEST}{request_id}"
