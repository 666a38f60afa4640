"""Router's first schema: the chassis's tables, requests, the agents with their units of capacity, queues, policies."""

from alembic import op

from chassis import tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Times are µs since 1970 by the events; `lapses_us` and those in `avoid` are readings of the clock, which due times
# run by. `version` counts the router's own events on the request: it is its stream's version.
MAKE = (
    # What a request asks of an agent beside tier and channel, in one short value. The text of such JSON depends on no
    # setting, so it is immutable in truth.
    """
    create function shape_of(language text, skills text[], wanted_agent text) returns uuid
    language sql immutable parallel safe
    return md5(jsonb_build_array(language, skills, wanted_agent)::text)::uuid
    """,
    """
    create table requests (
        request_id text primary key,
        version integer not null default 0,
        state text not null,
        leg integer not null,
        cycle integer not null,
        queue text not null,
        tier smallint not null,
        agent_id text,
        reason text,
        channel text not null,
        customer_id text not null,
        key_id text not null,
        priority smallint not null,
        severity smallint not null,
        support_level text not null,
        language text,
        skills text[] not null,
        wanted_agent text,
        received_us bigint not null,
        last_us bigint not null,
        closed_us bigint,
        closing_logged boolean not null default false,
        offered_us bigint,
        lapses_us bigint,
        reoffer_after_us bigint,
        policy_version integer,
        routed_version integer,
        moved_by uuid,
        marks jsonb not null default '{}',
        avoid jsonb not null default '{}',
        shape uuid not null generated always as (shape_of(language, skills, wanted_agent)) stored,
        avoided boolean not null generated always as (avoid <> '{}'::jsonb) stored
    ) with (fillfactor = 70)
    """,
    # A pass reads the first few of each shape, however many wait: by this index alone.
    """
    create index requests_waiting on requests
    (queue, tier, channel, shape, avoided, priority desc, received_us, request_id) where state = 'waiting'
    """,
    "create index requests_wanted on requests (wanted_agent) where wanted_agent is not null",
    "create index requests_offered on requests (lapses_us) where state = 'offered'",
    "create index requests_held on requests (agent_id) where agent_id is not null",
    """
    create table agents (
        agent_id text primary key,
        name text not null,
        queues text[] not null,
        tier smallint not null,
        skills jsonb not null,
        languages text[] not null,
        channels jsonb not null,
        auto_accept boolean not null,
        version integer not null,
        presence text not null default 'offline',
        presence_us bigint not null,
        offline_at_us bigint,
        idle_since_us bigint not null
    ) with (fillfactor = 70)
    """,
    "create index agents_by_queue on agents using gin (queues)",
    # One standing row for each unit: it is taken by a conditional update, so nobody can hold more than there are.
    """
    create table units (
        agent_id text not null,
        channel text not null,
        n smallint not null,
        holder text,
        freed_us bigint not null default 0,
        primary key (agent_id, channel, n)
    ) with (fillfactor = 70)
    """,
    "create unique index units_held on units (holder) where holder is not null",
    """
    create table policies (
        queue text not null,
        version integer not null,
        policy jsonb not null,
        primary key (queue, version)
    )
    """,
    # A queue's row is its lease: the epoch fences off a replica that believes it still holds it.
    """
    create table queues (
        queue text primary key,
        epoch bigint not null default 0,
        holder text,
        until timestamptz not null default '-infinity'
    ) with (fillfactor = 50)
    """,
)
NAMES = ("queues", "policies", "units", "agents", "requests")


def upgrade() -> None:
    """Makes the schema."""
    tables.create(op)  # type: ignore[arg-type]  # Alembic's module `op` has the methods of Operations
    for statement in MAKE:
        op.execute(statement)


def downgrade() -> None:
    """Undoes it, with all that was kept."""
    for name in NAMES:
        op.execute(f"drop table {name}")
    op.execute("drop function shape_of")
    tables.drop(op)  # type: ignore[arg-type]  # as above
