class Columns < ActiveRecord::Migration[6.1]
  def change
    remove_column :orders, :fax, :text
    rename_column :orders, :status, :state
    add_column :orders, :note, :text
  end
end
