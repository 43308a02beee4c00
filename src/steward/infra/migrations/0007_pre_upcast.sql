-- Old payload versions as the current ones, in SQL.
SELECT 1;
