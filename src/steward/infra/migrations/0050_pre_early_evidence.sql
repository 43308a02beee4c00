-- Evidence may come before our own answer does: a webhook is read while the worker still waits for its reply, or was
-- killed before it wrote it down. What such an event referred to is kept, and looked at again once the action is known to
-- have been sent.

CREATE TABLE effect_evidence (
    type     text   NOT NULL,
    ref      text   NOT NULL,
    position bigint NOT NULL CHECK (position > 0),
    PRIMARY KEY (type, ref)
);
CREATE TRIGGER effect_evidence_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON effect_evidence
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
GRANT SELECT, INSERT ON effect_evidence TO steward_app;

-- What waits for evidence is found without reading every action that ever was.
CREATE INDEX effect_awaits_evidence ON effect (kind) WHERE state IN ('succeeded', 'unknown');
DROP INDEX effect_by_ref;

-- What was missed before is found now: events are read once more from the beginning.
UPDATE checkpoint SET position = 0 WHERE reader = 'effects';
