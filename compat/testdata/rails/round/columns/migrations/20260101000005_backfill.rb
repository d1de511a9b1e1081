class Backfill < ActiveRecord::Migration[6.1]
  disable_ddl_transaction!

  class Order < ActiveRecord::Base
  end

  def up
    say "#{Order.where(note: nil).update_all("note = 'order ' || number")} rows"
  end

  def down
    Order.where.not(note: nil).update_all(note: nil)
  end
end
