exports.up = (pgm) => {
  pgm.dropColumn("orders", "fax");
  pgm.renameColumn("orders", "status", "state");
  pgm.addColumn("orders", { note: "text" });
};

exports.down = (pgm) => {
  pgm.dropColumn("orders", "note");
  pgm.renameColumn("orders", "state", "status");
  pgm.addColumn("orders", { fax: "text" });
};
