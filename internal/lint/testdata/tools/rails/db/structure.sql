\restrict dQw4w9WgXcQ
SET statement_timeout = 0;
SET lock_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);
CREATE TABLE public.orders (
    id bigint NOT NULL,
    note text
);
CREATE SEQUENCE public.orders_id_seq START WITH 1;
ALTER SEQUENCE public.orders_id_seq OWNED BY public.orders.id;
ALTER TABLE ONLY public.orders ADD CONSTRAINT orders_pkey PRIMARY KEY (id);
CREATE INDEX index_orders_on_note ON public.orders USING btree (note);
COPY public.orders (id, note) FROM stdin;
1	it's; not 'SQL
2	\N
\.
\unrestrict dQw4w9WgXcQ

SET search_path TO "$user", public;

INSERT INTO "schema_migrations" (version) VALUES
('20240311101500');
