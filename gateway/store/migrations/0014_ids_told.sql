-- When the contact was last heard from, or its ids were last told, by the provider's time: what is older takes none of
-- them away.
alter table conversation add column told_at integer;
