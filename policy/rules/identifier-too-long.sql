check
CREATE INDEX index_customer_subscription_payments_on_customer_id_and_created_at_2 ON t (a)
----

check
CREATE INDEX index_customer_subscription_payments_on_customer_id_and_created ON t (a)
----

check
ALTER TABLE t ADD COLUMN "ein Name, der für die Datenbank viel zu lang ist: äöüäöüäöüäöü" int
----

check
ALTER TABLE t RENAME TO customer_subscription_payments_that_were_made_before_the_merger_of
----

# A value is no name.
check
ALTER TABLE t ALTER COLUMN a SET DEFAULT 'customer_subscription_payments_that_were_made_before_the_merger_of'
----

# Queries find what there is.
check
SELECT 1 AS customer_subscription_payments_that_were_made_before_the_merger_of
----

setup
CREATE TABLE t (a int)
----

locks
CREATE INDEX customer_subscription_payments_that_were_made_before_the_merger_of ON t (a)
----
