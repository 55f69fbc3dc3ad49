"""What commands ask of `access` while they are decided, as one pure value: who needs a stronger login, and which codes claim."""

from dataclasses import dataclass, field

from hub.access.claim_codes import ClaimCodes
from hub.access.policies import Policies


@dataclass(frozen=True, slots=True)
class Guard:
    codes: ClaimCodes
    policies: Policies = field(default_factory=Policies)
