"""The decision on a proposal of any kind: every door decides here, where all modules that own a kind are known.

A module declares what approving its kind does when it is loaded, and a command line loads little: whoever decides must
not depend on what else happened to be loaded.
"""

from importers import registry, resolve
from reconciliation import bank, payments
from settlement import merger, recovery, refusal, run
from voucher import approval, budget, issuance, ledger, life

OWNERS = (ledger, budget, issuance, life, registry, resolve, run, merger, recovery, refusal, payments, bank)
"""The modules that own a kind of proposal."""
decide = approval.decide
"""Decide a proposal of whatever kind, as `voucher.approval.decide` says."""
