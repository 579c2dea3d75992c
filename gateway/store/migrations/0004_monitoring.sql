-- What monitoring asks: the states of windows along an index, who was heard, and the trace that a message belongs to.

create index conversation_heard on conversation (sender, anchor, refuted_at) where anchor is not null;

alter table message add column traceparent text;

-- since when nothing is heard of a sender, and when it last tried to send; both in business time
alter table sender add column silent_from integer;
alter table sender add column tried_at integer;

-- up to which rows of the inbox and of the attempts that is worked out
alter table pulse add column heard_to integer not null default 0;
alter table pulse add column tried_to integer not null default 0;

update sender
set silent_from = (
    select max(anchor) from conversation where conversation.sender = sender.id and conversation.anchor is not null
);

update pulse
set heard_to = coalesce((select max(id) from inbox), 0), tried_to = coalesce((select max(id) from attempt), 0);
