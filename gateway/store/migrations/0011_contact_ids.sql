-- One contact by several ids. What the provider says of them stands with the conversation, so that reading it costs no
-- look-up; each of them is found here, and so is what a client said, for that client alone.

create table contact_id (
    sender text not null,
    contact text not null,
    client text not null, -- on whose word; empty: the provider's, which counts for all
    conversation integer not null references conversation on delete cascade,
    primary key (sender, contact, client)
) strict, without rowid;

create index contact_id_of_contact on contact_id (contact);
create index contact_id_of_conversation on contact_id (conversation);

-- The ids besides the first one, by the provider's word, best first, with spaces between them.
alter table conversation add column also_known_as text;
-- When an id last took another's place, by the provider's time: what is older says nothing of who has which id.
alter table conversation add column renamed_at integer;

-- By which ids a request named its contact, where they are none of those.
alter table message add column addressed text;

-- The person's other ids.
alter table erasure add column also text not null default '';
