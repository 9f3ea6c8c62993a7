-- What all peers keep: the same accounts and orders as the service, without its history, versions and log-ins.

CREATE TABLE users (
    id uuid PRIMARY KEY,
    username varchar(150) NOT NULL UNIQUE,
    password varchar(255) NOT NULL DEFAULT '',
    is_admin boolean NOT NULL DEFAULT false,
    is_active boolean NOT NULL DEFAULT true,
    last_login timestamptz
);

CREATE TABLE orders (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id),
    status varchar(20) NOT NULL,
    total_price numeric(12, 2) NOT NULL,
    is_deleted boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE order_lines (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    position integer NOT NULL,
    name varchar(255) NOT NULL,
    price numeric(12, 2) NOT NULL,
    quantity integer NOT NULL
);

CREATE INDEX ON orders (user_id, created_at DESC, id DESC) WHERE NOT is_deleted;
CREATE INDEX ON orders (user_id, status, created_at DESC, id DESC) WHERE NOT is_deleted;
CREATE INDEX ON orders (created_at DESC, id DESC) WHERE NOT is_deleted;
CREATE INDEX ON order_lines (order_id, position);
