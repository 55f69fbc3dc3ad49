from hub.access.client_secrets import NONE, digest, matches, new_secret


def test_a_secret_is_256_bits_of_chance_and_never_the_same() -> None:
    secrets = {new_secret() for _ in range(100)}

    assert len(secrets) == 100
    assert {len(secret) for secret in secrets} == {43}


def test_one_of_two_will_do_and_no_other() -> None:
    known = [digest("first"), digest("second")]

    assert [matches(secret, known) for secret in ("first", "second", "third", "")] == [True, True, False, False]
    assert not matches("first", [])
    assert matches("first", [digest("first")])


def test_what_is_no_text_opens_nothing() -> None:
    assert not matches("\ud800", [digest("x")])
    assert not matches("", [NONE])
