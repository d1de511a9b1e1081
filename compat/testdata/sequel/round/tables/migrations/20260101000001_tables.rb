Sequel.migration do
  change do
    create_table :users do
      primary_key :id, type: :Bignum
      String :email, null: false
    end
    create_table :orders do
      primary_key :id, type: :Bignum
      Bignum :user_id
      String :number, null: false
      String :status, null: false
      Integer :amount, null: false
      String :fax
    end
  end
end
