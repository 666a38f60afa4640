"""Kb-search's first schema: the chassis's tables, articles by revision, requests with their suggestions, what is marked
and missed."""

from alembic import op

from chassis import tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_MAKE = (
    # `changed` is what replicas read changes by: a number below the oldest running transaction's never comes later.
    """
    create table articles (
        article_id text primary key,
        revision int not null,
        retired boolean not null,
        ratings int not null default 0,
        rating_sum int not null default 0,
        uses int not null default 0,
        changed xid8 not null default pg_current_xact_id()
    )
    """,
    "create index articles_by_change on articles (changed)",
    """
    create table article_revisions (
        article_id text not null,
        revision int not null,
        title text not null,
        body text not null,
        language text not null,
        tags text[] not null,
        product text,
        version text,
        os text,
        visibility text not null,
        by text,
        stated_us bigint not null,
        primary key (article_id, revision)
    )
    """,
    """
    create table article_ratings (
        article_id text not null,
        agent_id text not null,
        request_id text not null,   -- empty: for no request in particular
        revision int not null,
        score smallint not null,
        event_id uuid not null,
        primary key (article_id, agent_id, request_id)
    )
    """,
    """
    create table requests (
        request_id text primary key,
        product text,
        version text,
        os text,
        language text,
        asked uuid not null,        -- the last contact or message
        last_us bigint not null,    -- the latest event known of it
        received_us bigint not null,-- when that one was taken up here, by the clock
        due_us bigint               -- from when on any replica may look its words up, by the clock; null: looked up
    )
    """,
    "create index requests_by_due on requests (due_us) where due_us is not null",
    # The payloads are sealed under the customer's key, as they came: with the key they are gone.
    """
    create table said (
        request_id text not null,
        n bigint generated always as identity,
        event_id uuid not null,
        type text not null,
        schema_version smallint not null,
        said_us bigint not null,    -- when it was taken up here, by the clock
        payload bytea not null,
        primary key (request_id, n)
    )
    """,
    "alter table said alter column payload set storage external",
    "create index said_by_age on said using brin (said_us)",
    """
    create table suggestions (
        request_id text not null,
        article_id text not null,
        revision int not null,
        place smallint not null,
        score float8 not null,
        title text not null,
        snippet text not null,
        listed boolean not null,    -- false: it stood in an earlier list
        event_id uuid not null,     -- the SuggestionShown
        primary key (request_id, article_id)
    )
    """,
    """
    create table suggestion_uses (
        request_id text not null,
        article_id text not null,
        agent_id text not null,     -- empty: nobody was named
        event_id uuid not null,
        revision int not null,
        place smallint,
        primary key (request_id, article_id, agent_id)
    )
    """,
    """
    create table bookmarks (
        agent_id text not null,
        article_id text not null,
        shared_with text[] not null,
        made_us bigint not null,
        primary key (agent_id, article_id)
    )
    """,
    "create index bookmarks_by_share on bookmarks using gin (shared_with)",
    """
    create table gaps (
        source text not null check (source in ('search', 'contacts')),
        asked text not null,
        times bigint not null,
        first_us bigint not null,
        last_us bigint not null,
        primary key (source, asked)
    )
    """,
    "create index gaps_by_times on gaps (times desc, source, asked)",
)
_NAMES = (
    "gaps", "bookmarks", "suggestion_uses", "suggestions", "said", "requests", "article_ratings", "article_revisions",
    "articles",
)  # fmt: skip


def upgrade() -> None:
    """Makes the schema."""
    tables.create(op)  # type: ignore[arg-type]  # Alembic's module `op` has the methods of Operations
    for statement in _MAKE:
        op.execute(statement)


def downgrade() -> None:
    """Undoes it, with all that was kept."""
    for name in _NAMES:
        op.execute(f"drop table {name}")
    tables.drop(op)  # type: ignore[arg-type]  # as above
