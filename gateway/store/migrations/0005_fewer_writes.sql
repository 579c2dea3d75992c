-- What each message writes less: its statuses stand with it, and its attempts are counted there.

alter table message add column history text not null default ''; -- a line for each status after the first: word, time
alter table message add column attempts integer not null default 0;

update message set
    attempts = (select count(*) from attempt where attempt.message = message.place),
    history = coalesce((
        select group_concat(line, '') from (
            select status || ' ' || at || char(10) as line from status_change
            where status_change.message = message.place and status_change.id > (
                select min(first.id) from status_change as first where first.message = message.place
            )
            order by status_change.id
        )
    ), '');

drop table status_change;
