-- What providers told of templates, and refused. Nothing in it is anybody's: it is never swept, only bounded.

create table template_health (
    id integer primary key,
    provider text not null,
    name text not null,
    language text not null, -- folded: en_US
    revision integer not null unique, -- in the order of the changes, whichever template's they are
    facts text not null,
    unique (provider, name, language)
) strict;
