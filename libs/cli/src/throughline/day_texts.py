"""What the customers of the made-up bank write and say, who serves them, and with what words it ends."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Agent:
    """Somebody who serves: the tier and the queues."""

    agent_id: str
    tier: int
    queues: tuple[str, ...]

    def of_team(self, team: int) -> Agent:
        """Who does the same in another team."""
        return replace(self, agent_id=f"{self.agent_id}-{team}")


_DAILY = ("accounts", "callbacks", "online-banking")
_SALES = ("new-customers", "callbacks")
AGENTS = (
    *(Agent(f"agent-{name}", 1, _DAILY) for name in (
        "adaeze", "bruno", "chiara", "dmitri", "elif", "farid", "greta", "hana", "imre", "jonas", "katya", "luca",
    )),
    *(Agent(f"agent-{name}", 1, _SALES) for name in ("mehwish", "nils", "oluwa", "petra", "quinn")),
    *(Agent(f"agent-{name}", 1, ("securities",)) for name in ("rosa", "sven", "tomasz")),
    *(Agent(f"agent-{name}", 2, (*_DAILY, *_SALES, "securities")) for name in ("uma", "viktor", "wanda", "xenia")),
    *(Agent(f"agent-{name}", 3, (*_DAILY, *_SALES, "securities")) for name in ("yusuf", "zofia")),
)  # fmt: skip

SKILLS = {
    "accounts": "payments",
    "new-customers": "onboarding",
    "securities": "trading",
    "callbacks": "payments",
    "online-banking": "digital",
}

TOPICS: dict[str, tuple[tuple[str, str], ...]] = {
    "accounts": (
        (
            "Standing order went out twice",
            "My rent was taken on the first and again on the second. Please send one back.",
        ),
        (
            "Card declined at the till",
            "The card would not go through at the grocer's, though there is money in the account.",
        ),
        (
            "Limit for a large transfer",
            "I am buying a car on Saturday and need to move 18,400 at once. How do I lift the limit?",
        ),
        (
            "Statement for the tax office",
            "I need last year's yearly statement on paper, stamped. Where do I ask for it?",
        ),
        ("Unknown charge of 12.99", "There is a 12.99 each month from a name that I have never heard of."),
        (
            "Joint account with my sister",
            "We look after our mother's bills together. What must we both bring to open one?",
        ),
        (
            "Card left abroad",
            "I left my card in a hotel safe in Lisbon. Block it, please, and tell me how long a new one takes.",
        ),
        ("Transfer has not arrived", "I sent 230 to my landlord on Monday; he says that nothing has come."),
    ),
    "new-customers": (
        ("Opening a first account", "I start my apprenticeship in a month and need an account for my wages."),
        ("Moving over from another bank", "Do you move my direct debits for me, or must I write to everybody myself?"),
        ("Account for a small bakery", "Three partners, one till, cash every evening. What does an account cost us?"),
        ("What does the free account leave out", "Your page says free. What is it that I would have to pay for?"),
        ("Mortgage, a first talk", "We have found a flat and 20 per cent of the price. With whom do we sit down?"),
    ),
    "securities": (
        ("Order still open", "My order to sell 40 shares has stood open since ten o'clock. Did it reach the exchange?"),
        ("Dividend booked to the old account", "The dividend went to the account that I closed in spring."),
        ("Limit order changed by itself", "I set 61.50 and the screen now says 61.05. I did not touch it."),
        ("Moving a portfolio in", "How long do nine positions take from another broker, and can I sell meanwhile?"),
    ),
    "callbacks": (
        ("You asked me to ring back", "Somebody from you left a message about a form. I have the form in front of me."),
        ("Answer to your letter", "Your letter of last week asks for a signature. I have signed; now what?"),
        ("Missed your call", "I was in the workshop when you rang. It is about the second card."),
    ),
    "online-banking": (
        ("Locked out after a new phone", "New phone, same number, and the app says that it does not know me."),
        ("Code never arrives", "I ask for the code, the clock runs down, no message comes."),
        ("Export for my bookkeeping", "The file that you offer has the amounts as words. Is there one with numbers?"),
        ("App shows yesterday's balance", "The balance in the app is a day behind the one at the cash machine."),
    ),
}

FOLLOW_UPS = (
    "One more thing: the reference on it is 7731-04.",
    "I have found the letter now, it is dated the 4th.",
    "Any news? I must leave the house in half an hour.",
    "I have attached what you asked for.",
    "It has happened again just now, the same amount.",
)
STILL_WRONG = (
    "It is back to what it was before you mended it.",
    "The money has come, but 10 are missing.",
    "The new card does not work at the machine either.",
)
SUMMARIES = (
    ("refunded", "Double booking found and sent back, on the account tomorrow."),
    ("explained", "Went through it together, the customer is content."),
    ("card_replaced", "Old card blocked, new one posted today."),
    ("limit_raised", "Limit lifted for seven days after asking the security questions."),
    ("unlocked", "Device registered anew, code tried on the line."),
    ("passed_on", "Papers sent on to the branch, which will ring the customer."),
)
ESCALATED_BECAUSE = (
    "The booking must be undone by hand, tier 1 may not.",
    "Asks for a person who may decide on a refund over 500.",
    "Third time in a week with the same fault.",
)
TRANSFER_NOTES = {
    "accounts": "It is about a booking after all.",
    "new-customers": "Wants to open an account while we are at it.",
    "securities": "Belongs to the securities desk.",
    "online-banking": "About the app, not the card.",
}
FEEDBACK = {
    1: ("Three people and three answers.", "Too long on hold."),
    2: ("In the end it worked, but nobody said how long it takes.",),
    3: ("Fine.", "It took its time."),
    4: ("Friendly and quick.", "Good, once somebody picked up."),
    5: ("Mended while I was on the line!", "She rang back as she had said. Thank you."),
}
PRODUCTS = (("web", "26.4"), ("android", "8.1"), ("ios", "8.0"))
