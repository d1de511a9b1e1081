--! Previous: sha1:f8212d1f480eae763c4df01f1d391a28184cb95c
--! Hash: sha1:674c84bba0b0891addb36255bd4d9010a5f71c76
--! Message: shipments

CREATE TABLE shipments (order_id bigint PRIMARY KEY);
-- Fails: several orders have the same amount.
CREATE UNIQUE INDEX orders_amount_key ON orders (amount);
