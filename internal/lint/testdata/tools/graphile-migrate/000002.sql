--! Previous: sha1:2fd4e1c67a2d28fced849ee1bb76e7391b93eb12
--! Hash: sha1:de9f2c7fd25e1b3afad3e85a0bd17d9b100db4b3
--! no-transaction
create index concurrently orders_state on orders (state);
