-- HAP: what was found in requests, who wrote it, and what to do about it. Every object that the rollback plan drops.
CREATE TABLE hap_violations (
    id bigserial PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    user_id text NOT NULL,
    category text NOT NULL,
    severity text NOT NULL,
    excerpt text
);
CREATE TABLE hap_custom_rules (
    id serial PRIMARY KEY,
    pattern text NOT NULL,
    severity text NOT NULL DEFAULT 'HIGH',
    enabled boolean NOT NULL DEFAULT true
);
CREATE TABLE hap_whitelist (id serial PRIMARY KEY, phrase text NOT NULL UNIQUE, reason text);
CREATE TABLE hap_user_risk_scores (
    user_id text PRIMARY KEY,
    score numeric NOT NULL DEFAULT 0,
    violations integer NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE hap_statistics (day date PRIMARY KEY, checked bigint NOT NULL DEFAULT 0, blocked bigint NOT NULL DEFAULT 0);

CREATE FUNCTION update_user_risk_score() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO hap_user_risk_scores (user_id, score, violations) VALUES (NEW.user_id, 1, 1)
    ON CONFLICT (user_id) DO UPDATE
        SET score = hap_user_risk_scores.score + 1, violations = hap_user_risk_scores.violations + 1, updated_at = now();
    RETURN NEW;
END
$$;
CREATE TRIGGER trigger_update_risk_score AFTER INSERT ON hap_violations
    FOR EACH ROW EXECUTE FUNCTION update_user_risk_score();

CREATE VIEW hap_recent_violations AS
    SELECT id, created_at, user_id, category, severity FROM hap_violations WHERE created_at > now() - interval '1 day';
CREATE VIEW hap_high_risk_users AS
    SELECT user_id, score, violations FROM hap_user_risk_scores WHERE score >= 10;

INSERT INTO hap_custom_rules (pattern, severity) VALUES ('social security number', 'CRITICAL'), ('home address', 'HIGH');
INSERT INTO hap_whitelist (phrase, reason) VALUES ('kill the process', 'operators write so');
INSERT INTO schema_migrations (version, name) VALUES (7, 'hap');
