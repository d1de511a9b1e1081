check
CREATE INDEX index_customer_subscription_payments_on_customer_id_and_created_at_2 ON t (a)
----
warn
  name "index_customer_subscription_payments_on_customer_id_and_created_at_2" has 68 bytes, and the server keeps 63; choose a shorter one
  detail: It would be "index_customer_subscription_payments_on_customer_id_and_created".

check
CREATE INDEX index_customer_subscription_payments_on_customer_id_and_created ON t (a)
----
pass

check
ALTER TABLE t ADD COLUMN "ein Name, der für die Datenbank viel zu lang ist: äöüäöüäöüäöü" int
----
warn
  name "ein Name, der für die Datenbank viel zu lang ist: äöüäöüäöüäöü" has 75 bytes, and the server keeps 63; choose a shorter one
  detail: It would be "ein Name, der für die Datenbank viel zu lang ist: äöüäöü".

check
ALTER TABLE t RENAME TO customer_subscription_payments_that_were_made_before_the_merger_of
----
warn
  name "customer_subscription_payments_that_were_made_before_the_merger_of" has 66 bytes, and the server keeps 63; choose a shorter one
  detail: It would be "customer_subscription_payments_that_were_made_before_the_merger".

# A value is no name.
check
ALTER TABLE t ALTER COLUMN a SET DEFAULT 'customer_subscription_payments_that_were_made_before_the_merger_of'
----
pass

# Queries find what there is.
check
SELECT 1 AS customer_subscription_payments_that_were_made_before_the_merger_of
----
pass

setup
CREATE TABLE t (a int)
----

locks
CREATE INDEX customer_subscription_payments_that_were_made_before_the_merger_of ON t (a)
----
customer_subscription_payments_that_were_made_before_the_merger AccessExclusiveLock
t ShareLock
