-- Claims of conversations that became one while both were held, whose workers are not back yet: each as
-- conversation:epoch, with spaces between them. The line rests until none is left.
alter table conversation add column still_out text;
