"""Events that kb-search states: which articles were offered for a request, and which one helped."""

from events.base import Count, EventId, Fact, Leg, Name, Text, Version


class Suggestion(Fact):
    """An article as it stood in the list, the best first."""

    article_id: Name
    revision: Version
    score: float


class SuggestionShown(Fact):
    """These articles were found for the request, in place of those shown before."""

    suggestions: list[Suggestion]
    """Empty where nothing fits any more."""
    ranking: Text | None = None
    """Name and version of the way they were ranked."""
    found_for: EventId | None = None
    """The contact or message whose words were looked up."""
    agent_id: Name | None = None
    leg: Leg | None = None


class SuggestionUsed(Fact):
    """An agent worked with a suggested article."""

    article_id: Name
    revision: Version
    place: Count | None = None
    """Where it stood in the list, from 1; none where it was not in it."""
    agent_id: Name | None = None
    leg: Leg | None = None
