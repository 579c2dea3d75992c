-- What stands in line is listed along message_expiring: only what has left it is listed by its status, so that a message
-- moves in that index once, and not with every step of its way.

drop index message_of_client;

create index message_of_client on message (client, status, place) where due_at is null;
