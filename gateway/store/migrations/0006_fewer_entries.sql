-- What each message writes less: entries in indexes, of which each costs a page or the time to put it in its place.

-- An attempt is found by its message, whose id its token begins with: tokens need no index.
-- (No version was released before it, so no report is under way to a token of the old form.)

create table attempt_new (
    id integer primary key,
    message integer not null references message on delete cascade,
    number integer not null,
    token text not null,
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

insert into attempt_new select * from attempt;
drop table attempt;
alter table attempt_new rename to attempt;

create index attempt_by_provider_id on attempt (provider_message_id) where provider_message_id is not null;
create index attempt_sending on attempt (message) where status = 'sending';

-- A message that is being sent does not expire; most leave as they are accepted, and never stand in this index.
drop index message_expiring;
create index message_expiring on message (expires_at) where due_at is not null and status <> 'sending';
