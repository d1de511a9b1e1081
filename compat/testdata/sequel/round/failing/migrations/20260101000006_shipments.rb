Sequel.migration do
  change do
    create_table :shipments do
      primary_key :id
    end
    # Fails: several orders have the same amount.
    add_index :orders, :amount, name: :orders_amount_key, unique: true
  end
end
