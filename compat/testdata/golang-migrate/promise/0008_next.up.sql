ALTER TABLE shipments ADD COLUMN sent_at timestamptz;
