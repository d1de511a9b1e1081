class Tables < ActiveRecord::Migration[6.1]
  def change
    create_table :users do |t|
      t.text :email, null: false
    end
    create_table :orders do |t|
      t.bigint :user_id
      t.text :number, null: false
      t.text :status, null: false
      t.integer :amount, null: false
      t.text :fax
    end
  end
end
