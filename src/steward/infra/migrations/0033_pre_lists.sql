-- Lists of actions over HTTP: newest first, whatever their kind.
CREATE INDEX action_newest ON action (proposed_at DESC, action_id DESC);
