-- Read models are emptied whole before they are derived again: that is truncation, not millions of deletions.

GRANT TRUNCATE ON sale, sale_line, refund, refund_link TO steward_app;
