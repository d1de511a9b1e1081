exports.up = (pgm) => {
  pgm.noTransaction();
  pgm.sql("UPDATE orders SET note = 'order ' || number WHERE note IS NULL");
};

exports.down = (pgm) => {
  pgm.noTransaction();
  pgm.sql("UPDATE orders SET note = NULL WHERE note IS NOT NULL");
};
