--! Previous: sha1:1e71930c07aa702a20b3f673cc03625905076911
--! Hash: sha1:f8212d1f480eae763c4df01f1d391a28184cb95c
--! Message: backfill

--! no-transaction
UPDATE orders SET note = 'order ' || number WHERE note IS NULL;
