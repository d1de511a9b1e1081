Sequel.migration do
  up do
    alter_table :orders do
      drop_column :fax
      rename_column :status, :state
      add_column :note, String
    end
  end

  down do
    alter_table :orders do
      drop_column :note
      rename_column :state, :status
      add_column :fax, String
    end
  end
end
