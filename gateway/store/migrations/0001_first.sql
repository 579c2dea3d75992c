-- Times are microseconds since 1970 UTC: `_at` and `_by` in business time, `_until` and `tat` in the store's own.

create table conversation (
    id integer primary key,
    sender text not null,
    contact text not null,
    bucket integer not null,
    contact_name text,
    -- the service window
    anchor integer,
    refuted_at integer,
    opened_by text,
    evidence text,
    -- what fences a decision, and counts what clients are told
    revision integer not null default 0,
    sequence integer not null default 0,
    -- the line: when something may be done, and for whom; null: nothing
    due_at integer,
    head_class integer,
    head_client text,
    -- the worker that holds it; while it rests (leased, or out of pace) nobody is given it
    epoch integer not null default 0,
    leased_until integer,
    rests_until integer,
    pace_tat integer not null default 0,
    probed_tick integer not null default 0, -- when it last failed as the probe of a paused sender
    unique (sender, contact)
) strict;

create index conversation_due on conversation (sender, head_class, head_client, due_at)
where due_at is not null and rests_until is null;

create index conversation_resting on conversation (sender, rests_until) where rests_until is not null;

create index conversation_probe on conversation (sender, probed_tick, due_at)
where due_at is not null and rests_until is null;

create index conversation_of_contact on conversation (contact);

create table message (
    place integer primary key, -- in the order of acceptance
    id integer not null unique,
    conversation integer not null references conversation,
    client text not null,
    status text not null,
    changed_at integer not null,
    verdict text,
    failure text,
    error text,
    content text not null,
    fallback text,
    has_content integer not null default 1,
    is_free_form integer not null,
    reference text,
    callback_url text,
    accepted_at integer not null,
    expires_at integer not null,
    receipt text not null,
    idempotency_route text,
    idempotency_key text,
    fingerprint text,
    -- the client's wait, and what it was told
    answer_by integer,
    is_refusal_told integer not null default 0,
    told_view integer not null,
    downgraded_at integer,
    -- its place in line; null: it has left
    due_at integer,
    at_due text not null default 'send' check (at_due in ('send', 'leave')),
    blocked_from integer,
    refusals integer not null default 0
) strict;

create index message_of_client on message (client, status, place);
create index message_of_conversation on message (conversation, place);
create index message_in_line on message (conversation, place) where due_at is not null;
create index message_expiring on message (expires_at) where due_at is not null;
create index message_awaited on message (answer_by) where answer_by is not null;
create index message_downgraded on message (conversation, downgraded_at) where downgraded_at is not null;
create index message_by_age on message (has_content, accepted_at);

create unique index message_idempotency on message (client, idempotency_route, idempotency_key)
where idempotency_key is not null;

create index message_idempotency_by_age on message (accepted_at) where idempotency_key is not null;

create table decision (
    id integer primary key,
    message integer not null references message on delete cascade,
    stage text not null,
    at integer not null,
    action text not null,
    reasons text not null,
    template text,
    evidence text not null
) strict;

create index decision_of_message on decision (message);

create table refusal (
    id integer primary key,
    at integer not null,
    client text not null,
    sender text not null,
    contact text not null,
    reasons text not null,
    evidence text not null
) strict;

create index refusal_by_age on refusal (at);

create table attempt (
    id integer primary key,
    message integer not null references message on delete cascade,
    number integer not null,
    token text not null unique,
    status text not null,
    is_template integer not null,
    is_reported integer not null default 0,
    content text,
    started_at integer not null,
    ended_at integer,
    provider text,
    provider_message_id text,
    error text,
    unique (message, number)
) strict;

create index attempt_by_provider_id on attempt (provider_message_id) where provider_message_id is not null;
create index attempt_sending on attempt (message) where status = 'sending';

create table status_change (
    id integer primary key,
    message integer not null references message on delete cascade,
    status text not null,
    at integer not null
) strict;

create index status_change_of_message on status_change (message);

create table inbox (
    id integer primary key,
    provider text not null,
    dedupe text not null,
    kind text not null,
    state text not null check (state in ('applied', 'kept', 'waiting', 'failed')),
    problem text,
    arrived_at integer not null,
    conversation integer references conversation,
    -- of a status report
    token text,
    provider_message_id text,
    status text,
    error text,
    raw text,
    has_raw integer not null default 1,
    unique (provider, dedupe)
) strict;

create index inbox_waiting on inbox (provider_message_id) where state = 'waiting';
create index inbox_by_age on inbox (has_raw, arrived_at);

create table endpoint (
    name text primary key,
    due_at integer,
    turn integer not null default 0
) strict, without rowid;

create index endpoint_due on endpoint (due_at) where due_at is not null;

create table lane (
    id integer primary key,
    endpoint text not null references endpoint,
    conversation integer not null references conversation,
    due_at integer,
    epoch integer not null default 0,
    leased_until integer,
    unique (endpoint, conversation)
) strict;

create index lane_due on lane (endpoint, due_at) where due_at is not null and leased_until is null;
create index lane_leased on lane (leased_until) where leased_until is not null;

create table notice (
    id integer primary key,
    lane integer not null references lane,
    event_id text not null,
    type text not null,
    url text, -- null: the client's, from the configuration
    body text not null,
    created_at integer not null,
    tries integer not null default 0,
    due_at integer not null,
    hold_at integer,
    state text not null default 'waiting' check (state in ('waiting', 'delivered', 'failed')),
    ended_at integer,
    error text
) strict;

create index notice_of_lane on notice (lane, ended_at);
create index notice_ended on notice (ended_at) where ended_at is not null;

create table sender (
    id text primary key,
    pace_tat integer not null default 0,
    last_client text,
    failures_in_row integer not null default 0,
    pause text,
    pause_error text,
    paused_from integer,
    probe_from integer,
    probe_interval integer,
    probe_conversation integer
) strict, without rowid;

create table backlog (
    client text not null,
    sender text not null,
    open integer not null,
    primary key (client, sender)
) strict, without rowid;

create index backlog_of_sender on backlog (sender);

create table operator_act (
    id integer primary key,
    at integer not null,
    actor text not null,
    act text not null,
    message_id integer not null,
    status_before text not null,
    status_after text not null
) strict;

create index operator_act_by_age on operator_act (at);
create index operator_act_of_message on operator_act (message_id);

create table pulse (
    id integer primary key check (id = 1),
    beat integer not null
) strict;

insert into pulse (id, beat) values (1, 0);
