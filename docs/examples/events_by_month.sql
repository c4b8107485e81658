-- Audit events in a partition a month, from January 2027 on. Stop all processes, and run it in one transaction, before 2027.
-- Ids are UUIDv7: their first 48 bits are the millisecond, so a month is a range of ids.
ALTER TABLE audit_event RENAME TO audit_event_before;
DROP TRIGGER audit_event_no_change ON audit_event_before;
DROP TRIGGER audit_event_no_truncate ON audit_event_before;
DROP TRIGGER audit_event_unchained ON audit_event_before;

CREATE TABLE audit_event (LIKE audit_event_before INCLUDING DEFAULTS) PARTITION BY RANGE (id);
ALTER TABLE audit_event ATTACH PARTITION audit_event_before
    FOR VALUES FROM (MINVALUE) TO ('01a2ce8b-d400-0000-0000-000000000000');
CREATE TABLE audit_event_2027_01 PARTITION OF audit_event
    FOR VALUES FROM ('01a2ce8b-d400-0000-0000-000000000000') TO ('01a36e30-f800-0000-0000-000000000000');
CREATE TABLE audit_event_other PARTITION OF audit_event DEFAULT;  -- no event is ever refused for want of a partition

ALTER TABLE audit_event ADD PRIMARY KEY (id);
CREATE INDEX event_customer_month ON audit_event (customer_id, at DESC);
CREATE INDEX event_user_month ON audit_event (customer_id, user_id, at DESC);
CREATE INDEX event_action_month ON audit_event (action, at DESC);
CREATE INDEX event_month ON audit_event (at DESC, id DESC);

CREATE TRIGGER audit_event_no_change BEFORE UPDATE OR DELETE ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_event_unchained AFTER INSERT ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_note_unchained();
-- A partition does not inherit this one: give it to each that you make.
CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON audit_event_before
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON audit_event_2027_01
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON audit_event_other
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
