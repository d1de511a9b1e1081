create index orders_note on orders (note);

---- create above / drop below ----

drop index orders_note;
