-- Notices in several shapes, of the account as well as of conversations, and posted again by an operator's word.

alter table notice add column format text not null default 'standard';
-- When it first ended: what it says is kept no longer for being posted again.
alter table notice add column kept_from integer;

drop index notice_ended;
create index notice_ended on notice (coalesce(kept_from, ended_at)) where ended_at is not null;

-- A lane may belong to no conversation: news of the account. Notices refer to lanes, so these are put aside and back.
pragma defer_foreign_keys = on;

create table lane_before as select * from lane;
drop table lane;

create table lane (
    id integer primary key,
    endpoint text not null references endpoint,
    conversation integer references conversation,
    due_at integer,
    epoch integer not null default 0,
    leased_until integer,
    unique (endpoint, conversation)
) strict;

insert into lane (id, endpoint, conversation, due_at, epoch, leased_until)
select id, endpoint, conversation, due_at, epoch, leased_until from lane_before;
drop table lane_before;

create index lane_due on lane (endpoint, due_at) where due_at is not null and leased_until is null;
create index lane_leased on lane (leased_until) where leased_until is not null;
create index lane_of_conversation on lane (conversation);
