"""What callers send: strict models, nothing unknown, nothing coerced."""

from typing import Annotated

from pydantic import Field

from events.base import Fact, Leg, Name, RequestId, Text
from events.contacts.contact import Score
from events.knowledge import Visibility
from kb_search.domain.content import About, Content

Short = Annotated[Text, Field(max_length=200)]
Agent = Annotated[Name, Field(max_length=200)]
Tag = Annotated[Name, Field(max_length=100)]
Share = Annotated[Text, Field(pattern=r"^(team|agent):[\s\S]{1,200}$")]
Language = Annotated[str, Field(pattern=r"^[A-Za-z]{1,8}([-_][A-Za-z0-9]{1,8})*$", max_length=35)]
Number = Annotated[int, Field(ge=1, le=2_147_483_647)]


class AppliesTo(Fact):
    """What an article is about; anything where it is not said."""

    product: Short | None = None
    version: Short | None = None
    os: Short | None = None


class ArticleBody(Fact):
    """An article in whole."""

    title: Annotated[Name, Field(max_length=500)]
    body: Text
    """Markdown."""
    language: Language = "en"
    """A BCP 47 tag: by it words are brought to their stems."""
    tags: Annotated[list[Tag], Field(max_length=50, default_factory=list)]
    applies_to: AppliesTo | None = None
    visibility: Visibility = "internal"

    def content(self) -> Content:
        """As the core takes it; an empty text says as little as none."""
        given = self.applies_to or AppliesTo()
        about = About(given.product or None, given.version or None, given.os or None)
        return Content(self.title, self.body, self.language, tuple(self.tags), about, self.visibility)


class UsedBody(Fact):
    """Who used a suggested article."""

    agent_id: Agent | None = None
    leg: Annotated[Leg, Field(le=2_147_483_647)] | None = None


class RatingBody(Fact):
    """What a reader thought of an article."""

    score: Score
    """5 is best."""
    agent_id: Agent | None = None
    """Each agent has one word for each article and request; without a name each rating counts."""
    request_id: RequestId | None = None
    revision: Number | None = None
    """The one that was read; the present one where it is left out."""


class BookmarkBody(Fact):
    """Who else sees a bookmark."""

    shared_with: Annotated[list[Share], Field(max_length=100, default_factory=list)]
