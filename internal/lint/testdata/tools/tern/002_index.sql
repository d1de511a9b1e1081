---- tern: disable-tx ----
create index concurrently orders_state on orders (state);

---- create above / drop below ----

drop index concurrently orders_state;
