"""What the use cases need of the outside: the text index, and the tables within one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from chassis.database import Connection
from chassis.paging import Position
from events.codec import Opener
from kb_search.domain.articles import Article
from kb_search.domain.content import Content
from kb_search.domain.fit import Marks
from kb_search.domain.gaps import Source
from kb_search.domain.ranking import Candidate, Found
from kb_search.domain.ratings import Rate, Rating
from kb_search.domain.suggestions import Listed, Matter, Used


@dataclass(frozen=True, slots=True)
class Entry:
    """An article as the index takes it in."""

    article_id: str
    revision: int
    content: Content
    ratings: int = 0
    rating_sum: int = 0


class Index(Protocol):
    """The articles' words, in this process. Nothing here waits for anything; all is as of the last `change`."""

    @property
    def articles(self) -> int:
        """How many articles are in it."""
        ...

    def terms(self, text: str, language: str | None) -> list[str]:
        """The index terms of a text, in their order, repeats kept. Where its language is not known it is read in that
        of the articles' languages in which they know most of it."""
        ...

    def frequencies(self, terms: Iterable[str]) -> dict[str, int]:
        """In how many articles each of these terms stands."""
        ...

    def candidates(self, terms: Mapping[str, float], accepted: Marks, most: int) -> list[Candidate]:
        """The articles that have any of the terms, by weight, and one of the accepted marks in each field named."""
        ...

    def change(self, entries: Sequence[Entry], gone: Iterable[str]) -> None:
        """Takes in or replaces articles, and drops others. May take long for many: call it in a thread."""
        ...


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of an article as it is kept. Times are µs since 1970."""

    article_id: str
    revision: int
    content: Content
    by: str | None
    stated_us: int


@dataclass(frozen=True, slots=True)
class Standing:
    """An article's present state, and what came of it."""

    article: Article
    ratings: int = 0
    rating_sum: int = 0
    uses: int = 0


class Articles(Protocol):
    """The tables of articles. Whoever writes one holds its stream before."""

    async def load(self, connection: Connection, article_id: str) -> Standing:
        """The article; revision 0 for an unknown one."""
        ...

    async def revision(self, connection: Connection, article_id: str, number: int) -> Revision | None:
        """One of its revisions."""
        ...

    async def page(self, connection: Connection, *, after: str, limit: int) -> list[tuple[Standing, Revision]]:
        """Articles that are found, by their id, from behind `after` on."""
        ...

    async def save(self, tx: Connection, article: Article, *, by: str | None, stated_us: int) -> None:
        """Keeps what a Put or Retire made of it."""
        ...

    async def rating(self, tx: Connection, command: Rate) -> Rating | None:
        """What this reader said before; None for nobody in particular."""
        ...

    async def rate(self, tx: Connection, command: Rate, rating: Rating, moved: tuple[int, int]) -> None:
        """Keeps his word, and moves the article's number of ratings and their sum."""
        ...

    async def use(self, tx: Connection, article_id: str) -> None:
        """Counts a use."""
        ...


@dataclass(frozen=True, slots=True)
class Spoken:
    """A contact or message as it was received, still sealed."""

    event_id: str
    type: str
    version: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Times:
    """When something was said by its event, when it was taken up here by the clock, and from when on other replicas may
    look it up (None: nobody); µs since 1970."""

    occurred_us: int
    received_us: int
    due_us: int | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request whose words wait to be looked up: all that was said, the oldest first, and what is shown now.

    `asked` is the last one's id; a later one changes it, and a look-up for the one before is void.
    """

    request_id: str
    matter: Matter
    asked: str
    last_us: int
    received_us: int
    said: tuple[Spoken, ...] = ()
    listed: tuple[Listed, ...] = ()


@dataclass(frozen=True, slots=True)
class Renewed:
    """What a look-up came to: the list as it is from now on."""

    waiting: Waiting
    found: tuple[Found, ...]
    event_id: str | None
    """The SuggestionShown; None where the list stays as it is."""
    is_broken: bool = False
    """Whether the words cannot be looked up: they are let go of, lest they stand in the way of the next ones."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An article in a request's list."""

    article_id: str
    revision: int
    title: str
    snippet: str
    score: float


class Requests(Protocol):
    """The tables of requests and their suggestions."""

    async def hear(self, tx: Connection, request_id: str, spoken: Spoken, matter: Matter, *, times: Times) -> None:
        """Keeps what was said, and that it waits to be looked up."""
        ...

    async def waiting(self, connection: Connection, *, ids: Iterable[str], due_us: int, most: int) -> list[Waiting]:
        """Requests to look up: these, as far as they wait, and others that are due by then."""
        ...

    async def next_due(self, connection: Connection) -> int | None:
        """When the first is due that nobody looks up before, µs since 1970."""
        ...

    async def take(self, tx: Connection, waiting: Sequence[Waiting]) -> set[str]:
        """Of these the ids whose words nobody has looked up meanwhile and which have no later ones: with this
        transaction they wait no more."""
        ...

    async def put_off(self, connection: Connection, waiting: Sequence[Waiting], *, due_us: Sequence[int]) -> None:
        """Lets each wait until then."""
        ...

    async def renew(self, tx: Connection, renewed: Sequence[Renewed]) -> None:
        """Keeps the lists of what was taken."""
        ...

    async def shown(self, connection: Connection, request_id: str) -> list[Shown] | None:
        """The list, the best first, without articles retired since; None for a request that is not known."""
        ...

    async def stood(self, tx: Connection, request_id: str, article_id: str) -> tuple[int | None, Listed | None]:
        """The time of the request's last event (None for one that is not known), and how the article stands, or last
        stood, in its list."""
        ...

    async def used(self, tx: Connection, command: Used) -> tuple[str, int, int | None] | None:
        """The event, revision and place of this agent's earlier use of the article."""
        ...

    async def use(self, tx: Connection, command: Used, *, event_id: str, revision: int, place: int | None) -> None:
        """Keeps the use."""
        ...


@dataclass(frozen=True, slots=True)
class Keys:
    """What opens what was sealed under them, and the ids of those that have not come yet."""

    opener: Opener
    late: frozenset[str]


class Vault(Protocol):
    """The customers' keys."""

    async def keys(self, connection: Connection, key_ids: Iterable[str]) -> Keys:
        """The keys of these ids; a destroyed one opens nothing. Never waits: whoever looks up comes again."""
        ...


class Freshness(Protocol):
    """Whether what is committed is found."""

    @property
    def is_whole(self) -> bool:
        """Whether all articles are in the index."""
        ...

    async def caught_up(self) -> None:
        """Waits until what is committed now is found here, a second at most."""
        ...


@dataclass(frozen=True, slots=True)
class Bookmark:
    """An agent's mark on an article; others see it too where it is shared with `team:…` or `agent:…`."""

    agent_id: str
    article_id: str
    shared_with: tuple[str, ...]
    made_us: int
    title: str = ""
    revision: int = 0
    retired: bool = False


class Bookmarks(Protocol):
    """The table of bookmarks."""

    async def put(self, tx: Connection, bookmark: Bookmark) -> None:
        """Makes it, or shares it differently; it keeps its first time."""
        ...

    async def get(self, connection: Connection, agent_id: str, article_id: str) -> Bookmark | None:
        """One of his own."""
        ...

    async def remove(self, tx: Connection, agent_id: str, article_id: str) -> bool:
        """Whether there was one."""
        ...

    async def seen_by(
        self, connection: Connection, agent_id: str, teams: Sequence[str], *, after: tuple[str, str], limit: int
    ) -> list[Bookmark]:
        """His own, and those shared with him or one of the teams, by (owner, article)."""
        ...


@dataclass(frozen=True, slots=True)
class Gap:
    """What was asked and not found, how often, and when first and last (µs since 1970)."""

    source: Source
    asked: str
    times: int
    first_us: int
    last_us: int


class Gaps(Protocol):
    """The table of gaps."""

    async def count(self, tx: Connection, source: Source, asked: Mapping[str, int], *, now_us: int) -> None:
        """Counts each of these so many times more."""
        ...

    async def page(
        self, connection: Connection, source: Source | None, *, after: Sequence[Position] | None, limit: int
    ) -> list[Gap]:
        """The most asked first."""
        ...
