Sequel.migration do
  change do
    add_index :orders, :user_id, name: :orders_user_id_idx
    add_index :orders, :number, name: :orders_number_key, unique: true
  end
end
