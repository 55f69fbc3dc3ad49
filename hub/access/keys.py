"""Keys: derived from the hub's secret, one per purpose, and the two files that a hub on a laptop makes for itself.

A secret is known by its number, one byte derived from itself, which stands first in all that was sealed with it. So a
rotated secret, handed in as the previous one, goes on opening what it sealed, whichever process sealed it, and nobody has
to count. One time in 256 both have the same number; then both are tried.
"""

import contextlib
import os
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from hub.errors import CursorInvalid, StartupError

SECRET_BYTES: Final = 32
SEAL_KEY_BYTES: Final = 64  # AES-256-SIV takes two keys of 32 (RFC 5297, section 2.2)
LONGEST_SEALED: Final = 1024  # characters; a cursor has 48 or so, and what is longer is not worth decoding


class Keyring:
    """The secret in use and, for a while after a rotation, the one before. Raises StartupError for a short secret."""

    def __init__(self, current: bytes, previous: bytes | None = None) -> None:
        self._secrets = tuple(dict.fromkeys(secret for secret in (current, previous) if secret is not None))
        if any(len(secret) < SECRET_BYTES for secret in self._secrets):
            raise StartupError(f"The hub's secret needs at least {SECRET_BYTES} bytes of chance.")
        self.current: Final = _number(current)

    def derive(self, purpose: str, length: int = 32) -> Mapping[int, tuple[bytes, ...]]:
        """The keys for one purpose, by number; `[keyring.current][0]` is the one to use, all others only open."""
        keys: dict[int, tuple[bytes, ...]] = {}
        for secret in self._secrets:
            number = _number(secret)
            keys[number] = (*keys.get(number, ()), _derived(secret, f"interaction-hub/{purpose}", length))
        return keys

    def seeds(self, purpose: str, length: int = 32) -> tuple[bytes, ...]:
        """The keys for one purpose, the one to use first: where what was made with a key says itself which one it was."""
        return tuple(_derived(secret, f"interaction-hub/{purpose}", length) for secret in self._secrets)


class Seal:
    """Opaque tokens that only this hub can make: a key's number, then AES-SIV (RFC 5297), as unpadded URL-safe base64.

    What has more than `longest` characters is not opened. Deterministic: the same bytes give the same token, so that
    clients may compare them."""

    def __init__(self, keyring: Keyring, purpose: str, longest: int = LONGEST_SEALED) -> None:
        self._longest: Final = longest
        keys = keyring.derive(purpose, SEAL_KEY_BYTES)
        self._ciphers: Final = {number: tuple(map(AESSIV, same)) for number, same in keys.items()}
        self._number: Final = bytes([keyring.current])
        self._cipher: Final = self._ciphers[keyring.current][0]

    def seal(self, plain: bytes) -> str:
        """The token for these bytes, of which there is at least one."""
        return _encoded(self._number + self._cipher.encrypt(plain, None))

    def open(self, token: str) -> bytes:
        """The bytes of a token; raises CursorInvalid for anything that `seal` did not make, to the letter."""
        sealed = _decoded(token, self._longest)
        for cipher in self._ciphers.get(sealed[0], ()):
            with contextlib.suppress(InvalidTag):
                return cipher.decrypt(sealed[1:], None)
        raise CursorInvalid


def local_secret(data_dir: Path) -> bytes:
    """The secret of a hub in local mode, made at its first start. Raises StartupError when the file is of no use."""
    path = data_dir / "secret"
    secret = _kept(path, lambda: secrets.token_bytes(SECRET_BYTES))
    if len(secret) != SECRET_BYTES:
        raise _broken(path, f"it has {len(secret)} bytes instead of {SECRET_BYTES}")
    return secret


def local_signing_key(data_dir: Path) -> Ed25519PrivateKey:
    """The key that signs tokens in local mode, made at its first start. Raises StartupError when the file is of no use."""
    path = data_dir / "signing-key.pem"
    pem = _kept(path, lambda: Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _broken(path, "it is no private key in PEM") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _broken(path, "its key is not an Ed25519 one")
    return key


def _number(secret: bytes) -> int:
    return _derived(secret, "interaction-hub/number", 1)[0]


def _derived(secret: bytes, purpose: str, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=purpose.encode()).derive(secret)


def _encoded(sealed: bytes) -> str:
    return urlsafe_b64encode(sealed).rstrip(b"=").decode()


def _decoded(token: str, longest: int) -> bytes:
    """At least one byte; only the one spelling that `_encoded` gives is taken, so that equal cursors are equal texts."""
    if not 0 < len(token) <= longest:
        raise CursorInvalid
    try:
        sealed = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError as error:
        raise CursorInvalid from error
    if not sealed or _encoded(sealed) != token:
        raise CursorInvalid
    return sealed


def _kept(path: Path, make: Callable[[], bytes]) -> bytes:
    """What the file holds; made first where there is none. Of several processes at once, all get what one of them made."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _place(path, make())
        return path.read_bytes()
    except OSError as error:
        raise StartupError(f"The hub cannot use its key file {path}: {error.strerror or error}.") from error


def _place(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all, readable by its owner alone; one that is there already stays."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)  # unlike a rename, it never replaces what another process has put there
    finally:
        draft.unlink(missing_ok=True)


def _broken(path: Path, why: str) -> StartupError:
    return StartupError(
        f"The key file {path} is damaged: {why}. Restore it from a copy, or delete it: the hub then makes a new one,"
        " and what the old one signed or sealed no longer counts."
    )
