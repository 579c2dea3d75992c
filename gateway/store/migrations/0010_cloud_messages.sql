-- What the Cloud API's requests say beside their content, and what a request may say in place of the configuration.

-- The message that it quotes, as its client knows it; a provider's id may hold a phone number, so it goes with the content.
alter table message add column reply_to text;
-- The client's own word, which every status gives back.
alter table message add column opaque text;
alter table message add column on_closed_window text;
