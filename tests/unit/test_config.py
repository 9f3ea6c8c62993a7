"""Settings from the environment."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from config import KEY_FILES, NUMBERS, Config, UnsafeConfiguration, make_keys, setting_names

GOOD: dict[str, Any] = {"secret_key": "0123456789abcdef" * 4, "jwt_secret_key": "fedcba9876543210" * 4}


def read(tmp_path: Path, **environment: str) -> Config:
    return Config.from_env(environment, instance=tmp_path)


def test_nothing_needs_to_be_set(tmp_path: Path) -> None:
    config = read(tmp_path)
    assert config.is_sqlite
    assert (config.host, config.port, config.cache_enabled, config.redis_url) == ("127.0.0.1", 8000, True, "")
    assert (config.access_token_minutes, config.refresh_token_days) == (15, 7)
    assert (config.default_page_size, config.max_page_size) == (50, 200)
    assert config.max_content_length == 4 * 1024 * 1024
    assert config.workers >= 1
    assert not config.registration_open
    assert not config.metrics_token


def test_an_empty_value_counts_as_not_set(tmp_path: Path) -> None:
    assert read(tmp_path, PORT=" ", REDIS_URL="", CACHE_ENABLED="").port == 8000


@pytest.mark.parametrize(("name", "bounds"), NUMBERS.items())
def test_every_number_has_bounds(tmp_path: Path, name: str, bounds: tuple[int, int]) -> None:
    low, high = bounds
    for good in (low, high):
        assert getattr(read(tmp_path, **{name: str(good)}), name.lower()) == good
    for bad in (low - 1, high + 1, "many", "1.5", "1e3", "0x10", ""):
        if bad != "":
            with pytest.raises(UnsafeConfiguration, match=name):
                read(tmp_path, **{name: str(bad)})


@pytest.mark.parametrize("name", ["CACHE_ENABLED", "REGISTRATION_OPEN"])
@pytest.mark.parametrize(
    ("word", "meant"),
    [(word, True) for word in ("true", "1", "YES", " on ")]
    + [(word, False) for word in ("false", "0", "No", "OFF")],
)
def test_flags(tmp_path: Path, name: str, word: str, meant: bool) -> None:
    assert getattr(read(tmp_path, **{name: word}), name.lower()) is meant


@pytest.mark.parametrize("name", ["CACHE_ENABLED", "REGISTRATION_OPEN"])
@pytest.mark.parametrize("word", ["maybe", "2", "tru", "-"])
def test_a_flag_is_one_or_the_other(tmp_path: Path, name: str, word: str) -> None:
    with pytest.raises(UnsafeConfiguration, match=f"{name} must be true or false"):
        read(tmp_path, **{name: word})


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql+psycopg://u@h/d", "postgresql+psycopg://u@h/d"),
        ("sqlite:////tmp/x.db", "sqlite:////tmp/x.db"),
    ],
)
def test_the_driver_is_the_one_that_is_installed(tmp_path: Path, url: str, expected: str) -> None:
    assert read(tmp_path, DATABASE_URL=url).database_url == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ("localhost", "127.0.0.1", "[::1]")),
        ({"HOST": "0.0.0.0"}, ("localhost", "127.0.0.1", "[::1]")),
        ({"HOST": "::"}, ("localhost", "127.0.0.1", "[::1]")),
        ({"HOST": "192.0.2.7"}, ("localhost", "127.0.0.1", "[::1]", "192.0.2.7")),
        ({"HOST": "2001:db8::1"}, ("localhost", "127.0.0.1", "[::1]", "[2001:db8::1]")),
        ({"TRUSTED_HOSTS": "a.example, .b.example  c"}, ("a.example", ".b.example", "c")),
    ],
)
def test_trusted_hosts(tmp_path: Path, given: dict[str, str], expected: tuple[str, ...]) -> None:
    assert read(tmp_path, **given).trusted_hosts == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", ()),
        ("10.0.0.0/8", ("10.0.0.0/8",)),
        ("127.0.0.1, ::1", ("127.0.0.1/32", "::1/128")),
        ("10.1.2.3/8", ("10.0.0.0/8",)),
    ],
)
def test_trusted_proxies(tmp_path: Path, given: str, expected: tuple[str, ...]) -> None:
    assert read(tmp_path, TRUSTED_PROXIES=given).trusted_proxies == expected


@pytest.mark.parametrize("given", ["*", "proxy.example", "10.0.0.0/99", "300.1.1.1"])
def test_a_proxy_is_an_address(tmp_path: Path, given: str) -> None:
    with pytest.raises(UnsafeConfiguration, match="TRUSTED_PROXIES"):
        read(tmp_path, TRUSTED_PROXIES=given)


def test_folders_become_absolute(tmp_path: Path) -> None:
    assert read(tmp_path, LOG_DIR="logs/here").log_dir == Path("logs/here").resolve()


def test_keys_come_from_the_environment_first(tmp_path: Path) -> None:
    make_keys(tmp_path)
    from_file = read(tmp_path)
    assert read(tmp_path, SECRET_KEY="x" * 40).secret_key == "x" * 40
    assert len(from_file.secret_key) == 64
    assert from_file.secret_key != from_file.jwt_secret_key
    from_file.check_keys()


def test_keys_are_made_once_and_for_their_owner_only(tmp_path: Path) -> None:
    made = make_keys(tmp_path / "instance")
    before = [path.read_text() for path in made]
    assert sorted(path.name for path in made) == sorted(KEY_FILES.values())
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o600}
    assert make_keys(tmp_path / "instance") == []
    assert [path.read_text() for path in made] == before


def test_good_keys_are_taken() -> None:
    Config(**GOOD).check_keys()


@pytest.mark.parametrize("name", ["secret_key", "jwt_secret_key"])
@pytest.mark.parametrize(
    "bad",
    [
        "",
        "sh0rt-k3y",
        "a1b2c3d4" * 3 + "a1b2c3d",
        "a" * 64,
        "abcabcab" * 8,
        "change-me-example-of-a-secret-key-that-is-refused",
        "0123456789abcdef0123456789abcdef-CHANGEME",
        "my-super-secret-key-0123456789abcdef",
        "this-is-an-example-0123456789abcdef",
    ],
)
def test_bad_keys_are_refused_with_a_way_out(name: str, bad: str) -> None:
    with pytest.raises(UnsafeConfiguration, match=name.upper()) as refused:
        Config(**{**GOOD, name: bad}).check_keys()
    assert "make keys" in str(refused.value)
    assert bad not in str(refused.value) or not bad


def test_the_two_keys_differ() -> None:
    with pytest.raises(UnsafeConfiguration, match="must differ"):
        Config(secret_key=GOOD["secret_key"], jwt_secret_key=GOOD["secret_key"]).check_keys()


def test_no_secret_is_printed() -> None:
    config = Config(**GOOD, metrics_token="scrape-me")
    assert not any(secret in repr(config) for secret in (*GOOD.values(), "scrape-me"))


def test_every_setting_can_be_set_from_the_environment(tmp_path: Path) -> None:
    given = {
        "DATABASE_URL": "sqlite:///x.db",
        "REDIS_URL": "redis://r",
        "CACHE_ENABLED": "false",
        "CACHE_DIR": "c",
        "CACHE_SECONDS": "7",
        "PROMETHEUS_MULTIPROC_DIR": "p",
        "SECRET_KEY": "s",
        "JWT_SECRET_KEY": "j",
        "LOG_DIR": "l",
        "UPLOAD_DIR": "u",
        "HOST": "192.0.2.1",
        "PORT": "1",
        "WORKERS": "255",
        "METRICS_TOKEN": "t",
        "TRUSTED_HOSTS": "h",
        "TRUSTED_PROXIES": "10.0.0.0/8",
        "REGISTRATION_OPEN": "true",
        "REQUIRE_IF_MATCH": "true",
        "LOGIN_FAILURES_PER_ACCOUNT": "3",
        "LOGIN_FAILURES_PER_ADDRESS": "4",
        "DEFAULT_PAGE_SIZE": "3",
        "MAX_PAGE_SIZE": "9",
        "MAX_CONTENT_LENGTH": "2048",
        "MAX_UPLOAD_LENGTH": "4096",
        "ACCESS_TOKEN_MINUTES": "1",
        "REFRESH_TOKEN_DAYS": "1",
        "REQUESTS_PER_MINUTE": "5",
        "HISTORY_KEY": "h",
        "DATABASE_POOL_SIZE": "1",
        "DATABASE_TIMEOUT_SECONDS": "1",
    }
    assert set(given) == set(setting_names())
    config, usual = read(tmp_path, **given), Config()
    unchanged = [name for name in given if getattr(config, name.lower()) == getattr(usual, name.lower())]
    assert unchanged == []


def test_a_default_page_size_above_the_largest_raises_it() -> None:
    assert Config(default_page_size=500).largest_page_size == 500
    assert Config().largest_page_size == 200
