SET search_path TO read_model;

CREATE TABLE account_summary (
    account_id UUID PRIMARY KEY,
    owner_name VARCHAR(255) NOT NULL,
    balance NUMERIC(19, 4) NOT NULL DEFAULT 0,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- How far a projection has read.
CREATE TABLE projection_position (
    projection VARCHAR(255) PRIMARY KEY,
    transaction_id XID8 NOT NULL,
    global_position BIGINT NOT NULL
);
