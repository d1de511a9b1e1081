Sequel.migration do
  no_transaction

  up do
    puts "#{from(:orders).where(note: nil).update(note: Sequel.lit("'order ' || number"))} rows"
  end

  down do
    from(:orders).exclude(note: nil).update(note: nil)
  end
end
