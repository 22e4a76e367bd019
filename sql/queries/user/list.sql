-- grain:  one row per user, without the system
-- params: none
SELECT u.name, u.role, u.provider_uscc
FROM app_user AS u
WHERE u.role <> 'system'
ORDER BY u.name
