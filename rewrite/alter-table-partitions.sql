setup
SELECT 1
----
