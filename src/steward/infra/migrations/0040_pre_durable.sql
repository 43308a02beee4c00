-- Who works at the runs of the durable engine. A worker that says nothing until its time is over counts as dead, by
-- the database's clock, and what it had taken up goes to the others.
CREATE TABLE worker_lease (
    executor_id text        PRIMARY KEY CHECK (executor_id ~ '\S'),
    until       timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON worker_lease TO steward_app;

-- How far each schedule's ticks have been handed to the durable engine: what came due after that was missed.
CREATE TABLE schedule_mark (
    name    text        PRIMARY KEY CHECK (name ~ '\S'),
    through timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON schedule_mark TO steward_app;
