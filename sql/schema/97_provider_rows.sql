-- The second wall for providers: their pages read as cvl_provider, which sees the rows of one provider alone.
-- The first wall is the portal's table of rights and its filters; this one holds when they are wrong.
-- cvl.provider is the code of the provider, set for one transaction; unset, no row is visible.
-- The other roles are let through by a condition that is always true, which costs their plans nothing.

CREATE FUNCTION own_code() RETURNS text LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT nullif(current_setting('cvl.provider', TRUE), '');
END;

-- As its owner, so that a rule on parties does not ask itself.
CREATE FUNCTION own_party() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER SET search_path = cvl, pg_temp
BEGIN ATOMIC
    SELECT p.party_id FROM party AS p WHERE p.uscc = own_code();
END;

CREATE FUNCTION provider_rows(fact regclass, rule text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', fact);
    EXECUTE format('CREATE POLICY everything ON %s TO cvl_app, cvl_auditor USING (TRUE) WITH CHECK (TRUE)', fact);
    EXECUTE format('CREATE POLICY own ON %s FOR SELECT TO cvl_provider USING (%s)', fact, rule);
    EXECUTE format('GRANT SELECT ON %s TO cvl_provider', fact);
END $$;

SELECT provider_rows('upload', 'provider_uscc = (SELECT own_code())');
SELECT provider_rows(
    fact, format('EXISTS (SELECT FROM upload AS u WHERE u.upload_id = %s.upload_id)', fact)
)
FROM unnest(CAST('{upload_row,upload_problem,held_row}' AS regclass[])) AS fact;

SELECT provider_rows('invoice', 'provider_id = (SELECT own_party())');
SELECT provider_rows(
    fact, format(
        'EXISTS (SELECT FROM invoice AS i WHERE i.company_id = %1$s.company_id AND i.invoice_id = %1$s.invoice_id)',
        fact
    )
)
FROM unnest(CAST(
    '{invoice_number,invoice_line,evidence,evidence_line,resolution,run_line,objection}' AS regclass[]
)) AS fact;

-- Of companies, those that the provider's invoices name.
SELECT provider_rows(
    fact, format(
        '%1$s.party_id = (SELECT own_party()) OR %1$s.party_id IN (SELECT i.company_id FROM invoice AS i)', fact
    )
)
FROM unnest(CAST('{party,party_name}' AS regclass[])) AS fact;

SELECT provider_rows('run', 'EXISTS (SELECT FROM run_line AS l WHERE l.run_id = run.run_id)');
SELECT provider_rows('disclosure', 'EXISTS (SELECT FROM run_line AS l WHERE l.run_id = disclosure.run_id)');
SELECT provider_rows(
    'decision', 'EXISTS (SELECT FROM run AS r WHERE r.proposal_act_id = decision.proposal_act_id)'
);

-- A payment's sum is its payee's; of others a provider sees the part that is for an invoice of its own.
SELECT provider_rows(
    'payment_line',
    'EXISTS (SELECT FROM run_line AS l WHERE l.company_id = payment_line.company_id'
    ' AND l.run_id = payment_line.run_id AND l.line_no = payment_line.line_no)'
);
SELECT provider_rows('payment', 'payee_id = (SELECT own_party())');
SELECT provider_rows(
    'payment_result', 'EXISTS (SELECT FROM payment AS p WHERE p.payment_id = payment_result.payment_id)'
);
SELECT provider_rows(
    'move',
    'noun = ''payment'' AND (EXISTS (SELECT FROM payment_line AS l WHERE l.payment_id = subject_id)'
    ' OR EXISTS (SELECT FROM payment AS p WHERE p.payment_id = subject_id))'
);

-- A view reads as whoever asks.
ALTER VIEW invoice_money SET (security_invoker = TRUE);
GRANT SELECT ON invoice_money, seal, programme, policy TO cvl_provider;
GRANT USAGE ON SCHEMA cvl TO cvl_provider;
DROP FUNCTION provider_rows(regclass, text);
