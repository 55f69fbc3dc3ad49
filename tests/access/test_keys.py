import stat
from concurrent.futures import ProcessPoolExecutor
from itertools import count
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from hub.access.keys import Keyring, Seal, local_secret, local_signing_key
from hub.errors import CursorInvalid, StartupError

OLD, NEW = b"o" * 32, b"n" * 32
PLAIN = b"epoch and position"


def test_what_was_sealed_opens_again_and_looks_the_same_each_time() -> None:
    seal = Seal(Keyring(NEW), "cursor")

    token = seal.seal(PLAIN)

    assert seal.open(token) == PLAIN
    assert seal.seal(PLAIN) == token
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@given(st.binary(min_size=1, max_size=64))
def test_any_bytes_survive_the_seal(plain: bytes) -> None:
    seal = Seal(Keyring(NEW), "cursor")

    assert seal.open(seal.seal(plain)) == plain


def test_a_rotated_secret_opens_what_it_sealed_and_seals_no_more() -> None:
    before = Seal(Keyring(OLD), "cursor").seal(PLAIN)
    rotated = Seal(Keyring(NEW, previous=OLD), "cursor")

    assert rotated.open(before) == PLAIN
    assert rotated.seal(PLAIN) == Seal(Keyring(NEW), "cursor").seal(PLAIN)


def test_a_secret_that_is_gone_opens_nothing() -> None:
    before = Seal(Keyring(OLD), "cursor").seal(PLAIN)

    with pytest.raises(CursorInvalid):
        Seal(Keyring(NEW), "cursor").open(before)


def test_two_secrets_of_the_same_number_open_both_their_cursors() -> None:
    number = Keyring(NEW).current
    twin = next(secret for n in count() if Keyring(secret := n.to_bytes(32, "big")).current == number)
    before = Seal(Keyring(twin), "cursor").seal(PLAIN)
    rotated = Seal(Keyring(NEW, previous=twin), "cursor")

    assert rotated.open(before) == PLAIN
    assert rotated.open(rotated.seal(PLAIN)) == PLAIN
    assert rotated.seal(PLAIN) == Seal(Keyring(NEW), "cursor").seal(PLAIN)


def test_the_same_secret_as_current_and_previous_is_one_key() -> None:
    keyring = Keyring(NEW, previous=NEW)

    assert [len(keys) for keys in keyring.derive("cursor").values()] == [1]


def test_keys_differ_by_purpose_and_have_the_length_asked_for() -> None:
    keyring = Keyring(NEW)

    cursor, page = keyring.derive("cursor", 64)[keyring.current], keyring.derive("page", 64)[keyring.current]

    assert cursor != page
    assert len(cursor[0]) == 64


def test_a_cursor_of_one_purpose_is_none_of_another() -> None:
    with pytest.raises(CursorInvalid):
        Seal(Keyring(NEW), "page").open(Seal(Keyring(NEW), "cursor").seal(PLAIN))


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(StartupError, match="at least 32 bytes"):
        Keyring(b"changeme")


@pytest.mark.parametrize(
    "token",
    ["", "A", "=", "AA==", "not base64!", "ünïcode", "\ud800", "\0", "A" * 47, "A" * 48, "A" * 1_000_000],
    ids=lambda token: repr(token[:12]),
)
def test_what_is_no_cursor_is_refused(token: str) -> None:
    with pytest.raises(CursorInvalid):
        Seal(Keyring(NEW), "cursor").open(token)


@given(st.text(max_size=80))
def test_no_text_whatever_raises_anything_else(token: str) -> None:
    with pytest.raises(CursorInvalid):
        Seal(Keyring(NEW), "cursor").open(token)


def test_a_cursor_changed_in_any_character_is_refused() -> None:
    seal = Seal(Keyring(NEW), "cursor")
    token = seal.seal(PLAIN)

    for at, letter in enumerate(token):
        with pytest.raises(CursorInvalid):
            seal.open(token[:at] + ("B" if letter == "A" else "A") + token[at + 1 :])


def test_a_cut_cursor_is_refused_at_every_length() -> None:
    seal = Seal(Keyring(NEW), "cursor")
    token = seal.seal(PLAIN)

    for end in range(len(token)):
        with pytest.raises(CursorInvalid):
            seal.open(token[:end])


@pytest.mark.parametrize("plain", [b"12345678", b"123456789"], ids=["two bits to spare", "four bits to spare"])
def test_another_spelling_of_the_same_bytes_is_refused(plain: bytes) -> None:
    seal = Seal(Keyring(NEW), "cursor")
    token = seal.seal(plain)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spelled_otherwise = token[:-1] + alphabet[alphabet.index(token[-1]) + 1]

    for other in (spelled_otherwise, token + "=", token + "==", token + "\n", " " + token, token[:9] + "!" + token[9:]):
        with pytest.raises(CursorInvalid):
            seal.open(other)


def test_a_first_start_makes_keys_that_stay_and_that_only_the_owner_reads(tmp_path: Path) -> None:
    home = tmp_path / "new" / "data"

    secret, key = local_secret(home), local_signing_key(home)

    assert local_secret(home) == secret
    assert local_signing_key(home).private_bytes_raw() == key.private_bytes_raw()
    assert {path.name for path in home.iterdir()} == {"secret", "signing-key.pem"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in home.iterdir()} == {0o600}


def test_processes_that_start_at_once_agree_on_one_secret(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4) as processes:
        secrets = set(processes.map(local_secret, [tmp_path] * 32))

    assert len(secrets) == 1


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_a_damaged_secret_is_named_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "secret").write_bytes(content)

    with pytest.raises(StartupError, match=str(tmp_path / "secret")):
        local_secret(tmp_path)
    assert (tmp_path / "secret").read_bytes() == content


@pytest.mark.parametrize(
    "content",
    [
        b"",
        bytes(range(256)),
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2V/BCIEIHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4\n-----END PRIVATE KEY-----\n",
    ],
    ids=["empty", "noise", "an empty envelope", "an unknown algorithm"],
)
def test_a_damaged_signing_key_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "signing-key.pem").write_bytes(content)

    with pytest.raises(StartupError, match=r"signing-key\.pem is damaged"):
        local_signing_key(tmp_path)


def test_a_signing_key_of_another_kind_is_named(tmp_path: Path) -> None:
    other = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "signing-key.pem").write_bytes(other)

    with pytest.raises(StartupError, match=r"signing-key\.pem is damaged: its key is not an Ed25519 one"):
        local_signing_key(tmp_path)


def test_a_key_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()

    with pytest.raises(StartupError, match=f"cannot use its key file {tmp_path / 'secret'}"):
        local_secret(tmp_path)


def test_a_data_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StartupError, match="cannot use its key file"):
        local_secret(tmp_path / "file" / "data")


@pytest.mark.parametrize(("current", "previous"), [(b"short", None), (b"short", OLD), (NEW, b"short")])
def test_a_secret_that_is_too_short_is_refused_whichever_it_is(current: bytes, previous: bytes | None) -> None:
    with pytest.raises(StartupError, match="at least 32 bytes"):
        Keyring(current, previous)


def test_seeds_are_of_one_purpose_and_the_one_in_use_is_the_first() -> None:
    assert Keyring(NEW, OLD).seeds("tokens") == (*Keyring(NEW).seeds("tokens"), *Keyring(OLD).seeds("tokens"))
    assert len({*Keyring(NEW).seeds("tokens"), *Keyring(NEW).seeds("claims"), *Keyring(OLD).seeds("tokens")}) == 3
    assert {len(seed) for seed in Keyring(NEW, OLD).seeds("tokens")} == {32}


@pytest.mark.parametrize("token", ["", "A" * 1025])
def test_a_token_that_is_empty_or_longer_than_any_is_not_decoded(token: str) -> None:
    with pytest.raises(CursorInvalid):
        Seal(Keyring(NEW), "cursor").open(token)
