--! Previous: -
--! Hash: sha1:2fd4e1c67a2d28fced849ee1bb76e7391b93eb12
alter table orders add column note text;
