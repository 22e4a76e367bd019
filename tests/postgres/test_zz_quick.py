import time,collections
from tests.postgres.test_draft import *
from tests.postgres.conftest import *
import time,collections
T=collections.Counter()
@settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), moves=histories.acts())

def test_hist(clone, data, moves):
    t0=time.time();e = clone();T['clone']+=time.time()-t0;T['n']+=1
    facts = Facts()
    with transaction(e) as db:
        recorder.appropriate(db, 2026, 10**11)
        record_document(db, document({"annual_cap_fen": 2_000_000}, id="t.1", supersedes="cq-2025-12-08.1"))
        record_document(db, document({"annual_cap_fen": 2_000_001, "rate_bp": 3333, "from": date(2026,7,1), "related_party_share_bp": 5000, "categories": '{ ai_agent = "智能体" }'}, id="t.2", supersedes="t.1"))
        record_document(db, document({"from": date(2026,2,1), "eligible_tax_codes": ["30402039","109"]}, id="other.1", programme="other"))
    for n, move in enumerate(moves, 1):
        after = replace(data.draw(histories.news(n, facts)), refusals=())
        with transaction(e) as db:
            t0=time.time();record(db, f"n{n}", after, facts);T['record']+=time.time()-t0;T['nrec']+=1
        facts = after
        with transaction(e) as db:
            t0=time.time();got = draft(db, move.through, backfill=move.backfill)
            T['draft']+=time.time()-t0;T['lines']+=len(runs.lines(db,got.run)) if got.run else 0;T['held']+=len(got.held);T['bf']+=len(got.backfill)
            for l in (runs.lines(db,got.run) if got.run else []):
                T[l['kind']]+=1
                for r in l['reasons']: T['r_'+r['code']]+=1
            if got.run and move.settles:
                if runs.totals(db, got.run)["recovered"]: 
                    runs.decide(db, MAKER, got.run.run_id, "withdrawn")
                else:
                    r = runs.submit(db, MAKER, got.run.run_id)
                    r = runs.decide(db, CHECKER, r.run_id, "approved")
                    T['approved']+=1
    e.dispose(); print(dict(T))
