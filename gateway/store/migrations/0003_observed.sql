-- What a sender that only observes would have done: on the decision as JSON {action, reasons, template}, where it is
-- something else than was done; and a mark on its messages, whose fallbacks only would have left.

alter table decision add column instead text;

alter table message add column is_observed integer not null default 0;
