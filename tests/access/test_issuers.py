"""Tokens of real issuers: a small OIDC server on loopback that signs, rotates its keys, goes down, dawdles and lies."""

import asyncio
import contextlib
import hmac
import time
from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from hub.access import issuers
from hub.access.issuers import Issuer, TokenVerifier
from hub.access.jwks import KeySet
from hub.access.sources import LARGEST, PAUSE, FixedKeys, looked_at
from hub.access.trust import Trust
from hub.access.viewers import Viewer
from hub.domain.terms import Role
from hub.errors import StartupError, Unauthenticated, Unavailable
from tests.access.issuing import AUDIENCE, START, Clock, Oidc, Pair, at_once, by_hand, claims, providing, until, verifier

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
PAIRS = {algorithm: Pair.made(f"one-{algorithm}", algorithm) for algorithm in ALGORITHMS}
OTHERS = {algorithm: Pair.made(f"two-{algorithm}", algorithm) for algorithm in ALGORITHMS}
OLD, NEW = PAIRS["ES256"], OTHERS["ES256"]


class Ticks:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def trust(issuer: str, **changes: Any) -> Trust:
    return Trust.model_validate({"issuer": issuer, "audience": AUDIENCE, "algorithms": ["ES256"], "roles": {"agent": "AGENT"}} | changes)


@pytest.fixture
async def oidc() -> AsyncIterator[Oidc]:
    async with providing(OLD) as oidc:
        yield oidc


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@contextlib.asynccontextmanager
async def believing(
    oidc: Oidc, *, clock: Callable[[], Any], ticks: Ticks, fresh: float = 300, patience: float = 5, **changes: Any
) -> AsyncIterator[TokenVerifier]:
    async with issuers.opened([trust(oidc.url, **changes)], clock=ticks, fresh=fresh, patience=patience) as believed:
        yield verifier(*believed, clock=clock)


@pytest.fixture
async def tokens(oidc: Oidc, clock: Clock, ticks: Ticks) -> AsyncIterator[TokenVerifier]:
    """What a hub verifies with that believes the server, and has its keys."""
    async with believing(oidc, clock=clock, ticks=ticks) as tokens:
        assert await accepted(tokens, oidc.token())
        yield tokens


async def accepted(tokens: TokenVerifier, token: str) -> bool:
    return (await tokens.verify(token)).roles == {Role.AGENT}


async def refused(tokens: TokenVerifier, token: str) -> bool:
    """Whether it is refused with the one answer, twice, so that what is remembered counts too."""
    for _ in range(2):
        with pytest.raises(Unauthenticated) as refusal:
            await tokens.verify(token)
        assert str(refusal.value) == str(Unauthenticated())
    return True


async def unknowable(tokens: TokenVerifier, token: str) -> Unavailable:
    with pytest.raises(Unavailable) as refusal:
        await tokens.verify(token)
    return refusal.value


# ---------------------------------------------------------------- good tokens


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_a_token_of_a_real_issuer_gives_its_bearer(clock: Clock, ticks: Ticks, algorithm: str) -> None:
    async with providing(PAIRS[algorithm]) as oidc, believing(oidc, clock=clock, ticks=ticks, algorithms=[algorithm]) as tokens:
        viewer = await tokens.verify(oidc.token(acr="gold", exp=int(START.timestamp()) + 60))

    assert viewer == Viewer(
        issuer=oidc.url,
        subject="user-1",
        client="desk",
        token_id="t-1",
        party=None,
        roles=frozenset({Role.AGENT}),
        scopes=frozenset({"interaction:read"}),
        expires_at=START.replace(minute=1),
        acr="gold",
    )


async def test_keys_are_fetched_before_the_first_token_comes_and_a_known_token_waits_for_nothing(
    oidc: Oidc, clock: Clock, ticks: Ticks
) -> None:
    async with believing(oidc, clock=clock, ticks=ticks) as tokens:
        await until(lambda: oidc.asked)
        seen = await tokens.verify(oidc.token())

        assert at_once(tokens.verify(oidc.token())) is not seen  # another token, as ES256 signs each time anew
        token = oidc.token()
        assert at_once(tokens.verify(token)) is at_once(tokens.verify(token))
        assert oidc.asked == 1


async def test_a_jwks_url_is_asked_without_discovery(oidc: Oidc, clock: Clock, ticks: Ticks) -> None:
    oidc.discovery = lambda: Response(status_code=500)

    async with believing(oidc, clock=clock, ticks=ticks, jwks_url=f"{oidc.url}/keys") as tokens:
        assert await accepted(tokens, oidc.token())


def test_keys_that_stand_in_the_settings_need_nobody(clock: Clock) -> None:
    name = "https://offline.example"
    tokens = verifier(fixed(name, OLD), clock=clock)

    assert at_once(tokens.verify(OLD.sign(claims(name)))).roles == {Role.AGENT}
    with pytest.raises(Unauthenticated):
        at_once(tokens.verify(NEW.sign(claims(name))))


def fixed(name: str, *pairs: Pair, **changes: Any) -> Issuer:
    believed = trust(name, keys=[pair.jwk for pair in pairs], **changes)
    return Issuer(believed, FixedKeys(believed.keys or KeySet()))


async def test_each_token_goes_to_its_own_issuer(clock: Clock) -> None:
    first, second = "https://one.example", "https://two.example"
    tokens = verifier(fixed(first, OLD), fixed(second, NEW, roles={"agent": "SUPERVISOR"}), clock=clock)

    assert (await tokens.verify(OLD.sign(claims(first)))).roles == {Role.AGENT}
    assert (await tokens.verify(NEW.sign(claims(second)))).roles == {Role.SUPERVISOR}
    assert await refused(tokens, OLD.sign(claims(second)))
    assert await refused(tokens, NEW.sign(claims(first)))
    assert await refused(tokens, OLD.sign(claims("https://three.example")))


async def test_the_same_subject_of_two_issuers_is_two_viewers(clock: Clock) -> None:
    tokens = verifier(fixed("https://one.example", OLD), fixed("https://two.example", NEW), clock=clock)

    one = await tokens.verify(OLD.sign(claims("https://one.example")))
    two = await tokens.verify(NEW.sign(claims("https://two.example")))

    assert one.id != two.id


async def test_a_token_without_kid_is_good_where_only_one_key_can_be_meant(clock: Clock) -> None:
    name = "https://one.example"
    token = OLD.sign(claims(name), kid=None)

    assert await accepted(verifier(fixed(name, OLD), clock=clock), token)
    assert await refused(verifier(fixed(name, OLD, NEW), clock=clock), token)


# ---------------------------------------------------------------- refused


@pytest.mark.parametrize("alg", ["none", "None", "NONE", ""])
async def test_an_unsigned_token_is_refused(oidc: Oidc, tokens: TokenVerifier, alg: str) -> None:
    header = {"alg": alg, "typ": "at+jwt", "kid": OLD.kid}

    assert await refused(tokens, by_hand(header, claims(oidc.url), lambda body: b""))


@pytest.mark.parametrize("form", ["pem", "der", "jwk"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("alg", ["HS256", "own"])
def test_a_public_key_is_no_password(clock: Clock, algorithm: str, form: str, alg: str) -> None:
    pair, name = PAIRS[algorithm], "https://one.example"
    public = pair.private.public_key()
    secret = {
        "pem": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "der": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "jwk": str(pair.jwk).encode(),
    }[form]
    header = {"alg": algorithm if alg == "own" else alg, "typ": "at+jwt", "kid": pair.kid}
    tokens = verifier(fixed(name, pair, algorithms=[algorithm]), clock=clock)

    with pytest.raises(Unauthenticated):
        at_once(tokens.verify(by_hand(header, claims(name), lambda body: hmac.digest(secret, body, sha256))))


@pytest.mark.parametrize("allowed", [["ES256"], ["RS256"], ["RS256", "ES256"], ["RS256", "PS256", "ES256", "EdDSA"]], ids=str)
@pytest.mark.parametrize("signs", ALGORITHMS)
@pytest.mark.parametrize("named", ALGORITHMS)
async def test_a_key_verifies_only_what_is_of_its_kind_and_its_issuers(clock: Clock, allowed: list[str], signs: str, named: str) -> None:
    """`kid` names one key, the header's algorithm is another's: good only where both agree and the issuer has it."""
    name = "https://one.example"
    pairs = [PAIRS[algorithm] for algorithm in allowed]
    tokens = verifier(fixed(name, *pairs, algorithms=allowed), clock=clock)
    token = jwt.encode(claims(name), PAIRS[signs].private, algorithm=signs, headers={"typ": "at+jwt", "kid": PAIRS[named].kid})

    if signs == named and signs in allowed:
        assert await accepted(tokens, token)
    else:
        assert await refused(tokens, token)


async def test_rs_and_ps_are_not_mixed_though_the_key_could_do_both(clock: Clock) -> None:
    name, pair = "https://one.example", PAIRS["RS256"]
    bare = {field: value for field, value in pair.jwk.items() if field != "alg"}
    token = jwt.encode(claims(name), pair.private, algorithm="PS256", headers={"typ": "at+jwt", "kid": pair.kid})

    def tokens(jwk: dict[str, Any], *algorithms: str) -> TokenVerifier:
        believed = trust(name, keys=[jwk], algorithms=algorithms)
        return verifier(Issuer(believed, FixedKeys(believed.keys or KeySet())), clock=clock)

    assert await accepted(tokens(bare, "RS256", "PS256"), token)
    assert await refused(tokens(bare, "RS256"), token)
    assert await refused(tokens(pair.jwk, "RS256", "PS256"), token)  # the key says RS256 of itself


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"]},
        {"crit": []},
        {"crit": ["b64"], "b64": False},
        {"b64": False},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/certificate"},
        {"jwk": NEW.jwk},
        {"x5c": ["AA"]},
        {"zip": "DEF"},
        {"kid": 7},
        {"kid": ["one-ES256"]},
        {"kid": "../../one-ES256"},
        {"kid": ""},
        {"typ": "JWT"},
        {"typ": "logout+jwt"},
        {"typ": None},
    ],
    ids=lambda header: str(header)[:20],  # what follows may be of this run alone
)
async def test_a_header_that_asks_for_more_or_is_of_another_type_is_refused(
    oidc: Oidc, tokens: TokenVerifier, header: dict[str, Any]
) -> None:
    whole = {"alg": "ES256", "typ": "at+jwt", "kid": OLD.kid} | header

    def sign(body: bytes) -> bytes:
        algorithm = jwt.get_algorithm_by_name("ES256")
        return algorithm.sign(body, OLD.private)

    assert await accepted(tokens, by_hand({"alg": "ES256", "typ": "at+jwt", "kid": OLD.kid}, claims(oidc.url), sign))
    assert await refused(tokens, by_hand(whole, claims(oidc.url), sign))


@pytest.mark.parametrize("name", ["jku", "x5u", "iss"])
async def test_nobody_is_asked_for_keys_because_a_token_says_so(oidc: Oidc, tokens: TokenVerifier, ticks: Ticks, name: str) -> None:
    ticks.now += PAUSE
    async with providing(NEW) as forger:
        where = {name: f"{forger.url}/keys"} if name != "iss" else {}
        issuer = oidc.url if name != "iss" else forger.url

        assert await refused(tokens, NEW.sign(claims(issuer), **where))
        assert await refused(tokens, NEW.sign(claims(issuer), kid=OLD.kid, **where))

        assert forger.asked == 0


async def test_an_id_token_is_refused(oidc: Oidc, tokens: TokenVerifier) -> None:
    """As an OpenID provider makes it: for the client that logged in, with a nonce, and without the type of access tokens."""
    whole = claims(oidc.url, aud="desk", azp="desk", nonce="n-0S6_WzA2Mj", at_hash="MTIzNDU2Nzg5MDEyMzQ1Ng")

    assert await refused(tokens, OLD.sign(whole, typ="JWT"))
    assert await refused(tokens, OLD.sign(whole | {"aud": AUDIENCE}, typ="JWT"))
    assert await refused(tokens, OLD.sign(whole | {"aud": AUDIENCE}, typ=None))
    assert await refused(tokens, OLD.sign(whole))


@pytest.mark.parametrize("name", ["iss", "aud", "exp", "iat", "sub", "jti"])
async def test_each_required_claim_is_required(oidc: Oidc, tokens: TokenVerifier, name: str) -> None:
    assert await refused(tokens, oidc.token(**{name: None}))


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://evil.example"},
        {"iss": AUDIENCE},
        {"aud": "another-hub"},
        {"aud": ["another-hub"]},
        {"aud": []},
        {"exp": int(START.timestamp())},
        {"exp": int(START.timestamp()) + 901},
        {"iat": int(START.timestamp()) + 60},
        {"nbf": int(START.timestamp()) + 60},
        {"sub": ""},
        {"jti": 7},
    ],
    ids=str,
)
async def test_a_wrong_claim_is_refused(oidc: Oidc, clock: Clock, ticks: Ticks, change: dict[str, Any]) -> None:
    async with believing(oidc, clock=clock, ticks=ticks, lifetime=900) as tokens:
        assert await accepted(tokens, oidc.token(exp=int(START.timestamp()) + 900))
        assert await refused(tokens, OLD.sign(claims(oidc.url) | change))


def test_each_issuer_has_its_audience(clock: Clock) -> None:
    name = "https://one.example"
    tokens = verifier(fixed(name, OLD, audience="https://hub.example"), clock=clock)

    assert at_once(tokens.verify(OLD.sign(claims(name, aud="https://hub.example")))).roles == {Role.AGENT}
    for other in (AUDIENCE, "https://hub.example/", ["https://HUB.example"]):
        with pytest.raises(Unauthenticated):
            at_once(tokens.verify(OLD.sign(claims(name, aud=other))))


async def test_the_issuer_is_the_very_text_that_was_configured(oidc: Oidc, tokens: TokenVerifier) -> None:
    assert await refused(tokens, OLD.sign(claims(f"{oidc.url}/")))
    assert await refused(tokens, OLD.sign(claims(oidc.url.upper())))


async def test_a_huge_token_is_refused_though_its_signature_is_good(oidc: Oidc, tokens: TokenVerifier) -> None:
    assert await accepted(tokens, oidc.token(filler="x" * 4_000))

    assert await refused(tokens, oidc.token(filler="x" * 30_000))  # 40 KB


async def test_a_token_has_but_one_spelling(oidc: Oidc, tokens: TokenVerifier) -> None:
    header, payload, signature = oidc.token().split(".")

    for other in (f"{signature}=", f"{signature}==", f"{signature}\n", f"{signature} ", f"{signature}.", f"{signature}!"):
        assert await refused(tokens, f"{header}.{payload}.{other}")
    assert await refused(tokens, f"{header}.{payload}=.{signature}")


WHOLE = OLD.sign(claims("https://one.example"))
STANDING = verifier(fixed("https://one.example", OLD), clock=Clock())


@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 7))
def test_no_token_with_a_flipped_bit_verifies(place: int, bit: int) -> None:
    flipped = WHOLE[:place] + chr(ord(WHOLE[place]) ^ (1 << bit)) + WHOLE[place + 1 :]

    assert at_once(STANDING.verify(WHOLE)).roles == {Role.AGENT}
    with pytest.raises(Unauthenticated):
        at_once(STANDING.verify(flipped))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_no_bit_at_all_of_a_signature_can_be_flipped(algorithm: str) -> None:
    name, pair = "https://one.example", PAIRS[algorithm]
    tokens = verifier(fixed(name, pair, algorithms=[algorithm]), clock=Clock())
    body, _, signature = pair.sign(claims(name)).rpartition(".")

    assert at_once(tokens.verify(f"{body}.{signature}")).roles == {Role.AGENT}
    for place, letter in enumerate(signature):
        for bit in range(7):
            flipped = f"{body}.{signature[:place]}{chr(ord(letter) ^ (1 << bit))}{signature[place + 1 :]}"
            with pytest.raises(Unauthenticated):
                at_once(tokens.verify(flipped))


@given(st.text(max_size=300))
def test_no_text_whatever_raises_anything_else(text: str) -> None:
    with pytest.raises(Unauthenticated):
        at_once(STANDING.verify(text))


# ---------------------------------------------------------------- rotation


async def test_a_new_key_is_seen_when_the_first_token_names_it(oidc: Oidc, tokens: TokenVerifier, ticks: Ticks) -> None:
    ticks.now += PAUSE
    oidc.pairs.append(NEW)

    assert await accepted(tokens, oidc.token(NEW))
    assert await accepted(tokens, oidc.token(OLD))
    assert oidc.asked == 2


async def test_a_removed_key_is_refused_also_for_tokens_that_it_has_verified(oidc: Oidc, tokens: TokenVerifier, ticks: Ticks) -> None:
    token = oidc.token(OLD)
    assert await accepted(tokens, token)

    ticks.now += PAUSE
    oidc.pairs[:] = [NEW]
    assert await accepted(tokens, oidc.token(NEW))

    assert await refused(tokens, token)
    assert await refused(tokens, oidc.token(OLD))


async def test_a_removed_key_is_refused_in_time_though_nothing_asks(oidc: Oidc, clock: Clock, ticks: Ticks) -> None:
    async with believing(oidc, clock=clock, ticks=ticks, fresh=0.01) as tokens:
        token = oidc.token(OLD)
        assert await accepted(tokens, token)

        oidc.pairs[:] = [NEW]
        asked = oidc.asked
        await until(lambda: oidc.asked > asked + 1)

        assert await refused(tokens, token)


async def test_an_issuer_that_has_no_key_any_more_is_believed_that(oidc: Oidc, tokens: TokenVerifier, ticks: Ticks) -> None:
    ticks.now += PAUSE
    oidc.pairs.clear()

    assert await refused(tokens, NEW.sign(claims(oidc.url)))
    assert await refused(tokens, OLD.sign(claims(oidc.url)))


async def test_another_key_under_a_known_name_takes_its_place(oidc: Oidc, tokens: TokenVerifier, ticks: Ticks) -> None:
    before = oidc.token(OLD)
    assert await accepted(tokens, before)
    renamed = Pair(OLD.kid, "ES256", NEW.private)

    ticks.now += PAUSE
    oidc.pairs[:] = [renamed]
    assert await refused(tokens, oidc.token(Pair("unknown", "ES256", NEW.private)))  # makes the hub look

    assert await accepted(tokens, oidc.token(renamed))
    assert await refused(tokens, before)


# ---------------------------------------------------------------- issuers that are down, slow, or lie


async def test_known_keys_verify_while_the_issuer_is_down(clock: Clock, ticks: Ticks) -> None:
    async with contextlib.AsyncExitStack() as stack:
        oidc = await stack.enter_async_context(providing(OLD))
        tokens = await stack.enter_async_context(believing(oidc, clock=clock, ticks=ticks))
        assert await accepted(tokens, oidc.token())
        oidc.answer = lambda: Response(status_code=503)
        ticks.now += PAUSE

        unknown = await unknowable(tokens, oidc.token(NEW))

        assert unknown.retry_after_ms == 10_000
        assert await accepted(tokens, oidc.token(OLD))


async def test_an_issuer_that_was_never_reached_leaves_the_hub_unable_to_say_until_it_is_there(clock: Clock, ticks: Ticks) -> None:
    async with providing(OLD) as gone:
        port = int(gone.url.rpartition(":")[2])

    async with believing(gone, clock=clock, ticks=ticks) as tokens:
        await unknowable(tokens, gone.token())
        await unknowable(tokens, gone.token())
        assert await refused(tokens, gone.token(exp=1))  # what could not be good anyway is no question

        async with providing(OLD, port=port) as back:
            ticks.now += PAUSE
            assert await accepted(tokens, back.token())


async def test_an_issuer_that_is_down_is_asked_again_though_no_token_comes(oidc: Oidc, clock: Clock, ticks: Ticks) -> None:
    oidc.answer = lambda: Response(status_code=500)

    async with believing(oidc, clock=clock, ticks=ticks, fresh=0.01) as tokens:
        await until(lambda: oidc.asked > 2)
        oidc.answer = None
        asked = oidc.asked
        await until(lambda: oidc.asked > asked + 1)

        assert at_once(tokens.verify(oidc.token())).roles == {Role.AGENT}


async def test_a_flood_of_unknown_keys_makes_one_fetch_in_ten_seconds_and_is_refused_at_once(
    oidc: Oidc, tokens: TokenVerifier, ticks: Ticks
) -> None:
    forged = [Pair(f"forged-{number}", "ES256", NEW.private).sign(claims(oidc.url, jti=f"t-{number}")) for number in range(300)]
    before = oidc.asked

    for second in range(30):
        ticks.now += 1
        answers = await asyncio.gather(*map(tokens.verify, forged[second * 10 : second * 10 + 10]), return_exceptions=True)
        assert all(isinstance(answer, Unauthenticated) for answer in answers)

    assert oidc.asked - before == 3
    for token in forged[:20]:
        with pytest.raises(Unauthenticated):
            at_once(tokens.verify(token))  # no fetch is due: nothing waits


async def test_who_comes_while_keys_are_fetched_waits_for_that_fetch_and_the_event_loop_goes_on(
    oidc: Oidc, tokens: TokenVerifier, ticks: Ticks
) -> None:
    ticks.now += PAUSE
    oidc.pairs.append(NEW)
    oidc.open.clear()
    known = oidc.token(OLD)
    asked = oidc.asked
    waiting = [asyncio.create_task(tokens.verify(oidc.token(NEW, jti=f"t-{number}"))) for number in range(200)]
    await until(lambda: oidc.asked > asked)

    slowest = 0.0
    for _ in range(100):
        began = time.perf_counter()
        assert at_once(tokens.verify(known)).roles == {Role.AGENT}
        await asyncio.sleep(0)
        slowest = max(slowest, time.perf_counter() - began)
    assert not any(task.done() for task in waiting)
    oidc.open.set()
    viewers = await asyncio.gather(*waiting)

    assert all(viewer.roles == {Role.AGENT} for viewer in viewers)
    assert oidc.asked == asked + 1
    assert slowest < 1  # seconds, on a machine that does much else beside; it was a millisecond


async def test_who_hangs_up_while_keys_are_fetched_takes_nobody_along(oidc: Oidc, tokens: TokenVerifier, ticks: Ticks) -> None:
    ticks.now += PAUSE
    oidc.pairs.append(NEW)
    oidc.open.clear()
    asked = oidc.asked
    gone, stays = (asyncio.create_task(tokens.verify(oidc.token(NEW, jti=jti))) for jti in ("t-2", "t-3"))
    await until(lambda: oidc.asked > asked)

    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    oidc.open.set()

    assert (await stays).roles == {Role.AGENT}


async def test_an_issuer_that_never_answers_is_given_up_on_and_known_keys_verify(oidc: Oidc, clock: Clock, ticks: Ticks) -> None:
    async with believing(oidc, clock=clock, ticks=ticks, patience=0.5) as tokens:
        assert await accepted(tokens, oidc.token())
        oidc.open.clear()
        ticks.now += PAUSE

        await unknowable(tokens, oidc.token(NEW))

        assert await accepted(tokens, oidc.token(OLD))


async def test_an_issuer_that_answers_drop_by_drop_is_given_up_on_too(oidc: Oidc, clock: Clock, ticks: Ticks) -> None:
    async def drops() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.01)

    oidc.answer = lambda: StreamingResponse(drops())

    async with asyncio.timeout(10), believing(oidc, clock=clock, ticks=ticks, patience=0.3) as impatient:
        await unknowable(impatient, oidc.token())


GARBAGE: dict[str, Callable[[], Response]] = {
    "no JSON": lambda: Response("<html>maintenance</html>"),
    "nothing": lambda: Response(""),
    "a list": lambda: JSONResponse([]),
    "no keys": lambda: JSONResponse({"error": "x"}),
    "keys that are none": lambda: JSONResponse({"keys": "x"}),
    "too many": lambda: JSONResponse({"keys": [{}] * 101}),
    "too large": lambda: JSONResponse({"keys": [], "filler": "x" * LARGEST}),
    "deep": lambda: Response("[" * 60_000),
    "not UTF-8": lambda: Response(b'{"keys": "\xff"}'),
    "packed": lambda: Response(b"\x1f\x8b\x08\x00", headers={"content-encoding": "gzip"}),
    "an error with keys": lambda: JSONResponse({"keys": [NEW.jwk]}, 500),
    "not modified": lambda: Response(status_code=304),
    "a redirection": lambda: RedirectResponse("/elsewhere"),
}


@pytest.mark.parametrize("kind", GARBAGE)
async def test_garbage_in_place_of_keys_changes_nothing(oidc: Oidc, tokens: TokenVerifier, ticks: Ticks, kind: str) -> None:
    ticks.now += PAUSE
    oidc.elsewhere.append(NEW)
    oidc.answer = GARBAGE[kind]

    await unknowable(tokens, oidc.token(NEW))
    assert await accepted(tokens, oidc.token(OLD))

    ticks.now += PAUSE
    oidc.answer = None
    oidc.pairs.append(NEW)
    assert await accepted(tokens, oidc.token(NEW))


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "https://another.example", "jwks_uri": "/keys"},
        {"jwks_uri": "/keys"},
        {"issuer": "", "jwks_uri": 7},
        {"issuer": ""},
        {"issuer": "", "jwks_uri": "http://192.0.2.1/keys"},
        {"issuer": "", "jwks_uri": "file:///etc/hostname"},
        {"issuer": "", "jwks_uri": "https://"},
        {"issuer": "", "jwks_uri": "https://["},
        {"issuer": "", "jwks_uri": "http://user:password@127.0.0.1:{port}/keys"},
        {"issuer": "", "jwks_uri": "http://127.0.0.1:{port}/keys#here"},
    ],
    ids=str,
)
async def test_a_discovery_that_points_elsewhere_is_not_followed(oidc: Oidc, clock: Clock, ticks: Ticks, said: dict[str, Any]) -> None:
    whole = said | ({"issuer": oidc.url} if said.get("issuer") == "" else {})
    if isinstance(uri := whole.get("jwks_uri"), str):
        whole["jwks_uri"] = f"{oidc.url}/keys" if uri == "/keys" else uri.replace("{port}", oidc.url.rpartition(":")[2])
    oidc.discovery = lambda: JSONResponse(whole)

    async with believing(oidc, clock=clock, ticks=ticks) as tokens:
        await unknowable(tokens, oidc.token())

    assert oidc.asked == 0


async def test_nothing_runs_on_when_the_issuers_are_closed(oidc: Oidc, clock: Clock, ticks: Ticks) -> None:
    before = asyncio.all_tasks()

    async with believing(oidc, clock=clock, ticks=ticks) as tokens:
        assert await accepted(tokens, oidc.token())
        assert any(task.get_name() == f"keys of {oidc.url}" for task in asyncio.all_tasks() - before)

    assert not [task for task in asyncio.all_tasks() - before if task.get_name().startswith("keys of")]


async def test_fixed_keys_verify_without_anybody_being_asked(clock: Clock) -> None:
    pair = Pair.made("fixed")
    one = {"issuer": "urn:fixed", "audience": AUDIENCE, "algorithms": ["ES256"], "roles": {"agent": "AGENT"}, "keys": [pair.jwk]}
    async with issuers.opened([Trust.model_validate(one)]) as believed:
        viewer = await verifier(*believed, clock=clock).verify(pair.sign(claims("urn:fixed")))

    assert viewer.roles == {Role.AGENT}


@pytest.mark.parametrize(("pairs", "said"), [(1, "1 key"), (2, "2 keys")])
async def test_who_looks_at_an_issuer_is_told_how_many_keys_it_has(pairs: int, said: str) -> None:
    made = [Pair.made(str(number)) for number in range(pairs)]
    one = {"issuer": "urn:fixed", "audience": AUDIENCE, "algorithms": ["ES256"], "roles": {"agent": "AGENT"}}

    assert await looked_at(Trust.model_validate(one | {"keys": [pair.jwk for pair in made]})) == said
    async with providing(*made) as oidc:
        assert await looked_at(Trust.model_validate(one | {"issuer": oidc.url})) == said


async def test_who_looks_at_an_issuer_is_told_what_is_wrong_with_it() -> None:
    one = {"audience": AUDIENCE, "algorithms": ["RS256"], "roles": {"agent": "AGENT"}}
    async with providing(Pair.made("ec")) as oidc:
        trust = Trust.model_validate(one | {"issuer": oidc.url})
        with pytest.raises(StartupError, match="None of the keys"):
            await looked_at(trust)
        oidc.answer = lambda: Response(status_code=503)
        with pytest.raises(StartupError, match="cannot be fetched"):
            await looked_at(trust)
