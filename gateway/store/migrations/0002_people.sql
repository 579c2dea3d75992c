-- What concerns a person: what it may not be sent, and that all about it can be forgotten.

-- The key of the digests that stand for what was erased: they are this file's own.
create table digest_key (
    id integer primary key check (id = 1),
    key blob not null
) strict;

insert into digest_key (id, key) values (1, randomblob(32));

-- What holds now of the list below, so that a decision needs no other look-up; null: nothing.
alter table conversation add column suppression text;
-- The erasure that is going through it.
alter table conversation add column erasure integer;
-- Since when nothing but the row itself may be left of it, in whole days: retention has a look then. Null: what it
-- holds is looked after with the messages and callbacks that refer to it.
alter table conversation add column quiet_from integer;

update conversation set quiet_from = 0;

create index conversation_quiet on conversation (quiet_from) where quiet_from is not null;
create index conversation_erasing on conversation (erasure) where erasure is not null;
create index inbox_of_conversation on inbox (conversation);
create index lane_of_conversation on lane (conversation);
create index refusal_of_contact on refusal (contact);

create table suppression (
    id integer primary key,
    digest text not null, -- of the contact: all that is left once it is erased
    contact text,
    sender text not null, -- empty: all of them
    source text not null check (source in ('operator', 'provider')),
    scope text not null,
    since integer not null, -- by the provider's time where it was the provider that said so
    is_lifted integer not null default 0, -- kept for a while: an older report must not bring it back
    actor text,
    note text,
    evidence text,
    unique (digest, sender, source)
) strict;

create index suppression_lifted on suppression (since) where is_lifted = 1;
create index suppression_of_contact on suppression (contact) where contact is not null;

create table operator_deed (
    id integer primary key,
    run text not null unique, -- one use of the power, in however many transactions
    at integer not null,
    actor text not null,
    deed text not null,
    sender text,
    contact text,
    facts text not null
) strict;

create index operator_deed_by_age on operator_deed (at);
create index operator_deed_of_contact on operator_deed (contact) where contact is not null;

-- Erasures that are not yet through; the last step of each removes its row.
create table erasure (
    id integer primary key,
    run text not null,
    contact text not null unique,
    notices_to integer not null, -- later ones name nobody
    stage integer not null default 0,
    after integer not null default 0
) strict;
