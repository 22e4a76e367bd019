"""What every command answers that proposes something: one shape for all of them."""

from typing import Any

from console.answer import Answer
from voucher.approval import Proposal

_DECIDED = {"approved": "批准", "rejected": "退回", "withdrawn": "撤回"}


def proposed(proposal: Proposal, **more: Any) -> Answer:
    """Say that a proposal waits for its second person; the same again after that, what became of it."""
    data = {
        "act": str(proposal.act_id), "state": proposal.state, "subject": proposal.subject, "digest": proposal.digest,
    } | more  # fmt: skip
    if proposal.state in _DECIDED:
        return Answer(data, [f"{proposal.subject}：事项 {proposal.act_id} 早已{_DECIDED[proposal.state]}，没有改动。"])
    then = f"下一步：由复核人员批准 cvl approve {proposal.act_id} --as 复核人员"
    return Answer(data, [f"已提交：{proposal.subject}，事项号 {proposal.act_id}，待复核。", then])
