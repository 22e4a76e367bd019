-- grain:  inserts one user
-- params: name, role, provider, act_id
INSERT INTO app_user (name, role, provider_uscc, act_id) VALUES (:name, :role, :provider, :act_id)
