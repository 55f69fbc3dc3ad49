"""Public keys of issuers, as JSON Web Key Sets give them (RFC 7517); each with the algorithms that it may verify.

What a key may do is decided when it is read, by its kind, not when a token asks: an RSA key never verifies ES256, and a
secret (`kty: oct`) is no key at all, so nothing can be signed with what is public.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt import PyJWTError
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

Algorithm = Literal["RS256", "PS256", "ES256", "EdDSA"]
ALGORITHMS: Final[tuple[str, ...]] = get_args(Algorithm)
PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey

MOST_KEYS: Final = 100  # of one issuer; those seen have two to ten
RSA_BITS: Final = range(2048, 8193)  # RFC 7518, section 3.3; beyond, one signature would take too long to verify
READERS: Final[Mapping[str, Any]] = {"RSA": RSAAlgorithm, "EC": ECAlgorithm, "OKP": OKPAlgorithm}


@dataclass(frozen=True, slots=True)
class Key:
    """One public key. Two are equal when they are called the same, may do the same, and are the same."""

    kid: str | None
    algorithms: frozenset[str]
    der: bytes
    public: PublicKey = field(compare=False, repr=False)

    @classmethod
    def of(cls, public: PublicKey, *, kid: str | None = None, algorithm: str | None = None) -> "Key":
        """A key for all that its kind can verify, or for `algorithm` alone. Raises ValueError where that is nothing."""
        algorithms = _algorithms(public)
        if algorithm is not None:
            algorithms &= {algorithm}
        if not algorithms:
            raise ValueError(f"it is of no use for {', '.join(ALGORITHMS)}")
        return cls(kid, algorithms, public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), public)


@dataclass(frozen=True, slots=True)
class KeySet:
    """The keys of one issuer."""

    keys: tuple[Key, ...] = ()

    def find(self, kid: str | None, algorithm: str) -> Key | None:
        """The key that a header means. Without a `kid` there must be but one for the algorithm: keys are not tried out."""
        fitting = [key for key in self.keys if algorithm in key.algorithms and (kid is None or kid == key.kid)]
        return fitting[0] if len(fitting) == 1 else None

    def fitting(self, algorithms: tuple[str, ...]) -> int:
        """How many may verify one of these algorithms."""
        return sum(1 for key in self.keys if not key.algorithms.isdisjoint(algorithms))


def key_set(document: object) -> KeySet:
    """A JWK Set, read; keys in it that are not ours to use are left out (RFC 7517, section 5). Raises ValueError for none."""
    found = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(found, list):
        raise ValueError("it is no JWK Set")
    if len(found) > MOST_KEYS:
        raise ValueError(f"it has more than {MOST_KEYS} keys")
    return KeySet(tuple(dict.fromkeys(key for key in map(_usable, found) if key is not None)))


def read(jwk: object) -> Key:
    """One JWK, read. Raises ValueError, and its sentence says nothing of what the key holds."""
    if not isinstance(jwk, Mapping) or jwk.get("kty") not in READERS:
        raise ValueError("it is no public JWK of kty RSA, EC or OKP")
    if "d" in jwk:
        raise ValueError("it is a private key, which belongs to the issuer alone")
    if jwk.get("use", "sig") != "sig" or "verify" not in jwk.get("key_ops", ["verify"]):
        raise ValueError("it is not for signatures")
    kid, algorithm = jwk.get("kid"), jwk.get("alg")
    if not (isinstance(kid, str | None) and isinstance(algorithm, str | None)):
        raise ValueError("its kid or alg is no text")
    try:
        public = READERS[jwk["kty"]].from_jwk(dict(jwk))
    except (PyJWTError, ValueError, TypeError, AttributeError, OverflowError):
        raise ValueError("it cannot be read") from None
    return Key.of(public, kid=kid, algorithm=algorithm)


def _usable(jwk: object) -> Key | None:
    try:
        return read(jwk)
    except (ValueError, TypeError):
        return None


def _algorithms(public: PublicKey) -> frozenset[str]:
    match public:
        case RSAPublicKey() if public.key_size in RSA_BITS:
            return frozenset({"RS256", "PS256"})
        case EllipticCurvePublicKey() if isinstance(public.curve, SECP256R1):
            return frozenset({"ES256"})
        case Ed25519PublicKey():
            return frozenset({"EdDSA"})
        case _:
            return frozenset()
