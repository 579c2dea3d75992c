-- What providers list as registered with them. Nothing in it is anybody's: it is never swept, only bounded.

create table listed_template (
    id integer primary key,
    provider text not null,
    name text not null,
    language text not null, -- folded: en_US
    revision integer not null unique, -- in the order of the changes, whichever template's they are
    listed_at integer not null, -- when it was last seen there
    document text, -- null: no longer listed, or too large to be kept
    unique (provider, name, language)
) strict;
