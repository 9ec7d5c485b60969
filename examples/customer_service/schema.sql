CREATE TABLE products (
    product_id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    category TEXT NOT NULL,
    price_pence INTEGER NOT NULL CHECK (price_pence > 0),
    stock INTEGER NOT NULL CHECK (stock >= 0),
    warranty_months INTEGER NOT NULL
);
CREATE INDEX products_by_category ON products (category, stock);

CREATE TABLE customers (
    customer_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL UNIQUE,
    phone TEXT NOT NULL UNIQUE,
    street TEXT NOT NULL,
    postcode TEXT NOT NULL,
    city TEXT NOT NULL,
    since TEXT NOT NULL
);

CREATE TABLE orders (
    order_id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL REFERENCES customers (customer_id),
    status TEXT NOT NULL CHECK (
        status IN ('processing', 'shipped', 'delayed', 'delivered', 'cancelled', 'returned')
    ),
    placed_on TEXT NOT NULL,
    shipped_on TEXT,
    expected_on TEXT,
    delivered_on TEXT,
    carrier TEXT,
    tracking TEXT
);
CREATE INDEX orders_by_customer ON orders (customer_id, placed_on);

CREATE TABLE order_lines (
    order_id TEXT NOT NULL REFERENCES orders (order_id),
    product_id TEXT NOT NULL REFERENCES products (product_id),
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    unit_price_pence INTEGER NOT NULL,
    PRIMARY KEY (order_id, product_id)
);

CREATE TABLE articles (
    article_id TEXT PRIMARY KEY,
    topic TEXT NOT NULL,
    title TEXT NOT NULL,
    body TEXT NOT NULL
);

CREATE TABLE tickets (
    ticket_id INTEGER PRIMARY KEY,
    order_id TEXT NOT NULL REFERENCES orders (order_id),
    category TEXT NOT NULL CHECK (
        category IN ('billing', 'delivery', 'defect', 'return', 'other')
    ),
    problem TEXT NOT NULL,
    created_at TEXT NOT NULL
);

CREATE TABLE callbacks (
    callback_id INTEGER PRIMARY KEY,
    phone TEXT NOT NULL,
    call_at TEXT NOT NULL,
    created_at TEXT NOT NULL
);

CREATE TABLE activity (
    activity_id INTEGER PRIMARY KEY,
    tool TEXT NOT NULL,
    subject TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (
        outcome IN ('found', 'several', 'not_found', 'created', 'refused')
    ),
    arguments TEXT NOT NULL,
    created_at TEXT NOT NULL
);
