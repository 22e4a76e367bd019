import time, pytest
from sqlalchemy import Engine, text
from voucher.database import transaction
@pytest.mark.parametrize("n", range(12))
def test_clone(db_engine: Engine, n: int) -> None:
    with transaction(db_engine) as db:
        assert db.execute(text("SELECT count(*) FROM policy")).scalar() == 1
        assert db.execute(text("SELECT count(*) FROM app_user")).scalar() == 7
        db.execute(text("CREATE TEMPORARY TABLE x(a int)"))
