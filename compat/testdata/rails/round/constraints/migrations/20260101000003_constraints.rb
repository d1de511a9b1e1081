class Constraints < ActiveRecord::Migration[6.1]
  def change
    add_foreign_key :orders, :users, name: "orders_user_id_fkey"
    add_check_constraint :orders, "amount >= 0", name: "orders_amount_check"
    change_column_null :orders, :user_id, false
  end
end
