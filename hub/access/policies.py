"""Where a stronger login is asked for: policies over what an interaction is about, and as what one takes part in it.

A policy says which `acr` (OpenID Connect Core, section 2) will do; a token without one of them is refused with the list,
and its bearer may come back with a stronger one. Whoever works here is never asked: its own issuer sees to that."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

from hub.access.listings import LONGEST_NAME, Listing
from hub.access.mandates import Act
from hub.access.viewers import PARTY_BOUND, Viewer
from hub.domain.interactions import Interaction
from hub.domain.terms import InteractionAct, InteractionKind, InvolvementRole, Role, Vertical
from hub.errors import AuthenticationRequired, listed
from hub.settings import STEP_UP

READS_ONLY: Final = frozenset({InvolvementRole.OBSERVER})
"""Involvements that see and do nothing."""

ASKED: Final = frozenset({Act.OPEN, *(Act(act) for act in InteractionAct)})
"""Acts that a policy can ask for: opening an interaction, and whatever is done to one."""


def _each(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _party_bound(role: Role) -> Role:
    if role not in PARTY_BOUND:
        raise ValueError(f"names {role}; only {listed(sorted(PARTY_BOUND), 'and')} are asked for a stronger login")
    return role


def _is_asked(act: Act) -> Act:
    if act not in ASKED:
        raise ValueError(f"names {act}, which is not done to an interaction")
    return act


Word = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
_ONE_OR_MORE: Final = (BeforeValidator(_each), Field(min_length=1))


class Policy(BaseModel):
    """Whoever does one of `acts` in one of `roles` where all that is given holds needs one of `acr`. None: whatever it is."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Word | None = None
    kind: Annotated[tuple[InteractionKind, ...] | None, *_ONE_OR_MORE] = None
    topic: Annotated[tuple[Word, ...] | None, *_ONE_OR_MORE] = None
    vertical: Annotated[tuple[Vertical, ...] | None, *_ONE_OR_MORE] = None
    involvement: Annotated[tuple[InvolvementRole, ...] | None, *_ONE_OR_MORE] = None
    roles: Annotated[tuple[Annotated[Role, AfterValidator(_party_bound)], ...], *_ONE_OR_MORE] = (Role.VISITOR, Role.CUSTOMER)
    acts: Annotated[tuple[Annotated[Act, AfterValidator(_is_asked)], ...] | None, *_ONE_OR_MORE] = None
    acr: Annotated[tuple[Word, ...], *_ONE_OR_MORE]

    def covers(self, act: Act, about: "About") -> bool:
        """Whether it speaks of this act on this interaction."""
        return (
            (self.acts is None or act in self.acts)
            and (self.kind is None or about.kind in self.kind)
            and (self.topic is None or about.topic in self.topic)
            and (self.vertical is None or about.vertical in self.vertical)
            and (self.involvement is None or not about.acts_by.isdisjoint(self.involvement))
        )

    def __str__(self) -> str:
        """In one sentence, for whoever checks the settings."""
        where = {"kind": self.kind, "topic": self.topic, "vertical": self.vertical, "involvement": self.involvement}
        narrowed = [f"{name} {listed(words)}" for name, words in where.items() if words]
        what = " ".join([listed(self.acts) if self.acts else "every act", *(["on", listed(narrowed, "and")] if narrowed else [])])
        named = f"{self.name}: " if self.name else ""
        return f"{named}{what} needs acr {listed(self.acr)} of {listed(self.roles)}"


@dataclass(frozen=True, slots=True)
class About:
    """What policies look at: what an interaction is about, and by which of its involvements the viewer acts."""

    kind: str
    topic: str | None
    vertical: str | None
    acts_by: frozenset[InvolvementRole]

    @classmethod
    def of(cls, interaction: Interaction, acts_by: frozenset[InvolvementRole]) -> Self:
        return cls(interaction.kind, interaction.topic, interaction.vertical, acts_by)

    @classmethod
    def document(cls, document: Mapping[str, Any], acts_by: frozenset[InvolvementRole]) -> Self:
        """The same of an interaction as it is stored."""
        return cls(document["kind"], document.get("topic"), document.get("vertical"), acts_by)


def acts_by(viewer: Viewer, involved: Collection[InvolvementRole]) -> frozenset[InvolvementRole]:
    """By which of its involvements a viewer acts: an OBSERVER by none, a guardian only as a CUSTOMER, and as a GUARDIAN only
    where it has nothing of its own to act by."""
    acting = frozenset(involved) - READS_ONLY
    if acting - {InvolvementRole.GUARDIAN}:
        return acting - {InvolvementRole.GUARDIAN}
    return acting if acting and _acts_as_customer(viewer) else frozenset()


@dataclass(frozen=True, slots=True)
class Policies:
    """The configured policies, and what a guardian's login must be like wherever none of them speaks of guardians."""

    configured: Sequence[Policy] = ()
    step_up: Sequence[str] = STEP_UP

    def require(self, viewer: Viewer, act: Act, what: str, about: About) -> None:
        """Pass, or raise AuthenticationRequired with the `acr` that satisfy every policy that covers this.

        `what` begins the sentence, in the client's words: "addNote"."""
        unmet = [acr for acr in self._demands(viewer, act, about) if viewer.acr not in acr]
        if not unmet:
            return
        every = [acr for acr in unmet[0] if all(acr in other for other in self._demands(viewer, act, about))]
        raise AuthenticationRequired(what, every or unmet[0])

    def _demands(self, viewer: Viewer, act: Act, about: About) -> Iterator[Sequence[str]]:
        if viewer.acting_role not in PARTY_BOUND:
            return
        covering = [policy for policy in self.configured if not viewer.roles.isdisjoint(policy.roles) and policy.covers(act, about)]
        yield from (policy.acr for policy in covering)
        speaks = any(InvolvementRole.GUARDIAN in (policy.involvement or ()) for policy in covering)
        if InvolvementRole.GUARDIAN in about.acts_by and not speaks:
            yield self.step_up


POLICIES: Final = TypeAdapter(tuple[Policy, ...])
LISTING: Final = Listing("HUB_ACCESS_POLICIES", "policy", named_by="name")


def configured(given: str) -> tuple[Policy, ...]:
    """The policies of HUB_ACCESS_POLICIES: as a JSON list, or in the `[[policies]]` of a TOML file.

    Raises StartupError with a sentence that names policy and field."""
    return LISTING.read(given, POLICIES)


def _acts_as_customer(viewer: Viewer) -> bool:
    return Role.CUSTOMER in viewer.roles and viewer.acting_role is Role.CUSTOMER
