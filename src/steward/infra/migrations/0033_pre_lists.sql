-- Lists of actions over HTTP: newest first, whatever their kind.
CREATE INDEX action_newest ON action (proposed_at DESC, action_id DESC);

-- What persons accepted of tools that MCP servers of others offer: the newest row of a tool counts.
CREATE TABLE mcp_pin (
    pin_id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    server      text        NOT NULL,
    tool        text        NOT NULL,
    digest      bytea       NOT NULL CHECK (length(digest) = 32),
    description text        NOT NULL,
    accepted_by text        NOT NULL CHECK (accepted_by ~ '\S'),
    reason      text        NOT NULL CHECK (reason ~ '\S'),
    accepted_at timestamptz NOT NULL
);
CREATE INDEX mcp_pin_newest ON mcp_pin (server, tool, pin_id DESC);
CREATE TRIGGER mcp_pin_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON mcp_pin
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
GRANT SELECT, INSERT ON mcp_pin TO steward_app;
