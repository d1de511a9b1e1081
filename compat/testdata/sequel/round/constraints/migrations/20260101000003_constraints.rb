Sequel.migration do
  up do
    # All of it is one ALTER TABLE.
    alter_table :orders do
      add_foreign_key [:user_id], :users, name: :orders_user_id_fkey
      add_constraint(:orders_amount_check) { amount >= 0 }
      set_column_not_null :user_id
    end
  end

  down do
    alter_table :orders do
      set_column_allow_null :user_id
      drop_constraint :orders_amount_check
      drop_constraint :orders_user_id_fkey
    end
  end
end
