CREATE TABLE IF NOT EXISTS users (
  user_id serial PRIMARY KEY,
  email varchar(300) UNIQUE NOT NULL
);
CREATE INDEX users_email_lower ON users (lower(email));
