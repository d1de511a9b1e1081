# ActiveRecord outside of Rails: "up" brings the database to the newest migration, "down" takes back the last.
require "active_record"

ActiveRecord::Base.establish_connection(ENV.fetch("DATABASE_URL"))
context = ActiveRecord::MigrationContext.new("migrations", ActiveRecord::SchemaMigration)
ARGV[0] == "up" ? context.migrate : context.rollback(1)
