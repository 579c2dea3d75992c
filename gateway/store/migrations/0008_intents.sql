-- What a request said that it is about: the template that stands in is chosen again when the message leaves.

alter table message add column intent text;
