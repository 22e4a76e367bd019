-- grain:  one row: a user by name
-- params: name
SELECT u.name, u.role, u.provider_uscc FROM app_user AS u WHERE u.name = :name
