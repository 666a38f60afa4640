"""A realistic sample of the data of each event type, as JSON: for tests, docs and the examples in OpenAPI.

Together they tell of one customer who cannot pay by card. Every name, number and address is made up.
"""

from typing import Any, Final

from events.catalogue import CATALOGUE
from events.envelope import Envelope

REQUEST_ID: Final = "019aa9f2-7c51-7d04-9a3e-5b1f0c2d4e6f"
CUSTOMER_ID: Final = "c-42"

CONTACT: Final[dict[str, Any]] = {
    "channel": "chat",
    "customer": {"id": CUSTOMER_ID, "name": "Ines Okafor", "email": "ines@example.org", "handle": "@ines.o"},
    "subject": "Card refused abroad",
    "body": "My card is refused in every shop since I crossed the border. Can you switch it on for me?",
    "language": "en",
    "queue": "cards",
    "skills": ["cards"],
    "support_level": "gold",
    "severity": 2,
    "priority": 10,
    "context": {"product": "debit card", "version": "2026", "os": "iOS 20"},
    "session": [
        {"at": "2026-11-22T09:14:02.120000Z", "action": "search", "detail": "card refused abroad"},
        {"at": "2026-11-22T09:14:40.000000Z", "action": "open", "detail": "travel settings"},
    ],
    "thread": "chat-7781",
    "attributes": {"app_build": 5120, "card_last_four": "0042"},
    "occurred_at": "2026-11-22T09:15:00.250000Z",
}
"""A body of `POST /v1/contacts`."""

MESSAGE: Final[dict[str, Any]] = {
    "channel": "email",
    "subject": "Re: Card refused abroad",
    "body": "It worked in the first shop, and now it is refused again.",
    "language": "en",
}
"""A body of `POST /v1/requests/{id}/messages`."""

FEEDBACK: Final[dict[str, Any]] = {"score": 5, "text": "Quick and friendly, thank you."}
"""A body of `POST /v1/requests/{id}/feedback`."""

_PLACE: Final = {"leg": 1, "queue": "cards", "tier": 1, "channel": "chat", "cycle": 1}
_CLOCK: Final = {
    "promise": "connect",
    "policy": "gold",
    "policy_version": 3,
    "due_at": "2026-11-22T09:17:00.250001Z",
    "target_us": 120_000_000,
    **_PLACE,
    "support_level": "gold",
    "severity": 2,
    "priority": 10,
}
_AGENT: Final = {
    "agent_id": "a-7",
    "name": "Tomasz Lindqvist",
    "queues": ["cards", "default"],
    "tier": 1,
    "skills": {"cards": 4, "lending": 2},
    "languages": ["en", "pl"],
    "channels": {"voice": 1, "chat": 3},
    "auto_accept": False,
}
_ARTICLE: Final = {
    "article_id": "switch-on-abroad",
    "revision": 1,
    "title": "Switch a card on for payments abroad",
    "body": "1. Open **Cards**.\n2. Choose the card.\n3. Switch on *Payments abroad*.",
    "language": "en",
    "tags": ["cards", "travel"],
    "visibility": "public",
    "applies_to": {"product": "debit card"},
    "by": "agent:a-9",
}
_BUSY_DAY: Final = [{"start": "08:00", "end": "18:00"}]

SAMPLES: Final[dict[str, dict[str, Any]]] = {
    "ContactReceived": {**CONTACT, "customer_id": CUSTOMER_ID},
    "MessageReceived": {**MESSAGE, "customer_id": CUSTOMER_ID},
    "FeedbackReceived": {**FEEDBACK, "customer_id": CUSTOMER_ID},
    "Routed": {
        "agent_id": "a-7",
        **_PLACE,
        "policy_version": 4,
        "unit": 2,
        "offer_lapses_at": "2026-11-22T09:15:30.310002Z",
        "decision": {
            "decided_at": "2026-11-22T09:15:00.310002Z",
            "policy_version": 4,
            "candidates": [{"agent_id": "a-7", "score": 412.5}, {"agent_id": "a-3", "score": 77.0}],
            "excluded": [{"agent_id": "a-5", "reason": "offline"}],
            "candidates_count": 2,
            "excluded_counts": {"offline": 1},
            "relaxation": 0,
        },
    },
    "OfferClosed": {
        "reason": "declined",
        "agent_id": "a-7",
        **_PLACE,
        "note": "I am in a call with her branch already.",
    },
    "Connected": {"agent_id": "a-3", **_PLACE, "leg": 2, "unit": 0, "auto_accepted": False, "policy_version": 4},
    "Paused": {"reason": "third_party", "agent_id": "a-3", **_PLACE, "leg": 2, "note": "Asking the card network."},
    "Resumed": {"agent_id": "a-3", **_PLACE, "leg": 2},
    "Transferred": {
        "to": {"skills": ["cards", "fraud"]},
        "by": "a-3",
        "agent_id": "a-3",
        **_PLACE,
        "leg": 2,
        "note": "The network says that fraud control holds it.",
    },
    "Requeued": {
        "reason": "escalated",
        "tier": 2,
        "queue": "cards",
        "from_tier": 1,
        "leg": 3,
        "cycle": 1,
        "channel": "chat",
    },
    "Resolved": {
        "agent_id": "a-9",
        "code": "card_unblocked",
        "summary": "The hold was lifted and payments abroad are on.",
        "articles": ["switch-on-abroad"],
        **_PLACE,
        "leg": 4,
        "tier": 2,
    },
    "Abandoned": {"reason": "customer_left", **_PLACE, "waited_us": 41_500_000},
    "Reopened": {
        "reason": "message",
        "by": "intake",
        **_PLACE,
        "leg": 5,
        "tier": 2,
        "cycle": 2,
        "message_event_id": "019aaa10-0b1c-7f2e-8d3a-1c2b3d4e5f60",
    },
    "Escalated": {
        "to_tier": 2,
        "from_tier": 1,
        "reason": "needs_fraud_control",
        "by": "a-3",
        "cycle": 1,
        "leg": 3,
        "queue": "cards",
    },
    "SlaWarned": {**_CLOCK, "consumed_us": 90_000_000},
    "SlaBreached": {**_CLOCK, "consumed_us": 120_000_000},
    "SlaMet": {**_CLOCK, "consumed_us": 61_000_001, "agent_id": "a-3", "leg": 2},
    "SlaWithdrawn": {**_CLOCK, "consumed_us": 119_000_000},
    "SuggestionShown": {
        "suggestions": [
            {"article_id": "switch-on-abroad", "revision": 1, "score": 8.25},
            {"article_id": "lost-card", "revision": 6, "score": 2.5},
        ],
        "ranking": "words-1",
        "found_for": "019aa9f2-7c51-7d04-9a3e-5b1f0c2d4e70",
    },
    "SuggestionUsed": {"article_id": "switch-on-abroad", "revision": 1, "place": 1, "agent_id": "a-3", "leg": 2},
    "AgentRegistered": {**_AGENT, "version": 1},
    "AgentUpdated": {**_AGENT, "tier": 2, "version": 2, "by": "ops"},
    "PresenceChanged": {"agent_id": "a-7", "status": "available", "previous": "offline", "by": "a-7"},
    "SlaPolicyVersioned": {
        "name": "gold",
        "version": 3,
        "promises": [
            {
                "promise": "connect",
                "start": "ContactReceived",
                "stop": "Connected",
                "target_us": 120_000_000,
                "match": {"support_levels": ["gold"], "severities": [1, 2]},
                "warn_at_percent": 75,
                "calendar": "weekdays",
                "escalates": False,
            }
        ],
        "by": "ops",
    },
    "CalendarVersioned": {
        "name": "weekdays",
        "version": 1,
        "time_zone": "Europe/Lisbon",
        "week": {"mon": _BUSY_DAY, "tue": _BUSY_DAY, "wed": _BUSY_DAY, "thu": _BUSY_DAY, "fri": _BUSY_DAY},
        "exceptions": [{"date": "2026-12-25", "windows": [], "label": "Christmas Day"}],
    },
    "RoutingPolicyVersioned": {
        "queue": "cards",
        "version": 4,
        "offer_timeout_us": 30_000_000,
        "reoffer_after_us": 10_000_000,
        "offline_grace_us": 300_000_000,
        "start_tiers": [{"tier": 2, "match": {"support_levels": ["gold"], "severities": [1]}}],
        "relaxations": [{"after_us": 60_000_000, "skill_levels_less": 1}],
        "aging": {"step_us": 30_000_000, "priority_per_step": 5, "most": 90},
        "sticky_us": 604_800_000_000,
        "by": "ops",
    },
    "ArticlePublished": _ARTICLE,
    "ArticleRevised": {**_ARTICLE, "revision": 2, "title": "Switch your card on for payments abroad"},
    "ArticleRetired": {"article_id": "lost-card", "revision": 6, "reason": "replaced", "by": "agent:a-9"},
    "ArticleRated": {
        "article_id": "switch-on-abroad",
        "revision": 1,
        "score": 4,
        "agent_id": "a-3",
        "request_id": REQUEST_ID,
    },
    "KeyMade": {
        "key_id": CUSTOMER_ID,
        "algorithm": "AES-256-GCM",
        "nonce": "AAECAwQFBgcICQoL",
        "wrapped": "bm90IGEga2V5LCBidXQgYXMgbG9uZyBhcyBhIHdyYXBwZWQgb25lOiA0OCBieXRlcyEh",
    },
    "KeyDestroyed": {"key_id": CUSTOMER_ID, "reason": "erasure_requested", "by": "privacy"},
    "CheckpointSigned": {
        "tree": "contacts/3",
        "size": 118,
        "root": "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "signed_at": "2026-11-22T10:00:00.000000Z",
        "signer": "audit-2026",
        "signature": "c2lnbmF0dXJl",
        "text": "throughline/contacts/3\n118\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n",
    },
    "RecordParked": {
        "consumer": "router",
        "topic": "contacts",
        "partition": 3,
        "offset": 117,
        "reason": "its payload is no JSON object",
        "attempts": 5,
        "key": "MDE5YWE5ZjI=",
        "headers": [{"name": "Y2Vfc3BlY3ZlcnNpb24=", "value": "MS4w"}],
        "value": "W10=",
        "size": 2,
    },
}
"""Event type → data."""

_SUBJECTS: Final = {"request_id": REQUEST_ID, "key": REQUEST_ID}
_FIRST_US: Final = 1_795_338_900_310_001


def envelope(name: str) -> Envelope:
    """An envelope for the sample of this type; the same each time, its ids and times told by the type's place."""
    known = CATALOGUE[name]
    place = list(CATALOGUE).index(name)
    subject = _SUBJECTS.get(known.key) or str(SAMPLES[name][known.key])
    return Envelope(
        event_id=f"019aa9f2-7c51-7d04-9a3e-{place:012x}",
        type=name,
        version=known.version,
        source=f"/services/{'router' if known.owner == 'every consumer' else known.owner}",
        subject=subject,
        occurred_us=_FIRST_US + place * 1_000_001,
        partition_key=subject,
        sequence=place + 1,
        causation_id="019aa9f2-7c51-7d04-9a3e-0000000000ff" if place else None,
        correlation_id="019aa9f2-7c51-7d04-9a3e-0000000000fe",
        clock_us=_FIRST_US if name == "Connected" else None,
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )
