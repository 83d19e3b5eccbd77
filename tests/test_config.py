"""The settings: which place wins, what is refused, what is hidden."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provdb.config import Config, load_config, mask_uri
from provdb.errors import ConfigError

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a config file and give its path."""

    def write(text: str) -> Path:
        path = tmp_path / "settings.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment that knows nothing but a home."""
    return {"HOME": str(tmp_path)}


def test_argument_wins_over_environment_and_file(
    write: Write, home: dict[str, str]
) -> None:
    path = write('uri = "memory://file"')

    config = load_config(
        environ=home | {"PROVDB_URI": "memory://environ"},
        uri="memory://argument",
        config_file=path,
    )

    assert (config.uri, config.sources["uri"]) == ("memory://argument", "--uri")


def test_environment_wins_over_file(write: Write, home: dict[str, str]) -> None:
    path = write('uri = "memory://file"\ntimezone = "Europe/Madrid"')
    environ = home | {"PROVDB_URI": "memory://", "PROVDB_TIMEZONE": "UTC"}

    config = load_config(environ=environ, config_file=path)

    assert (config.uri, config.timezone) == ("memory://", "UTC")
    assert config.sources["uri"] == "PROVDB_URI"
    assert config.sources["timezone"] == "PROVDB_TIMEZONE"


def test_file_wins_over_default(write: Write, home: dict[str, str]) -> None:
    path = write('uri = "memory://"\ntimezone = "Atlantic/Canary"')

    config = load_config(environ=home, config_file=path)

    assert (config.uri, config.timezone) == ("memory://", "Atlantic/Canary")
    assert config.sources["uri"] == config.sources["timezone"] == str(path)
    assert config.sources["views"] == "default"


def test_empty_variables_are_not_set(home: dict[str, str]) -> None:
    empty = dict.fromkeys(["PROVDB_URI", "PROVDB_TIMEZONE", "PROVDB_CONFIG"], "")

    config = load_config(environ=home | empty)

    assert set(config.sources.values()) == {"default"}


def test_named_file_wins_over_the_one_of_the_environment(
    write: Write, home: dict[str, str]
) -> None:
    path = write('uri = "memory://"')
    environ = home | {"PROVDB_CONFIG": "/nowhere/provdb.toml"}

    config = load_config(environ=environ, config_file=path)

    assert config.uri == "memory://"


@pytest.mark.parametrize(
    ("variable", "folder"),
    [
        pytest.param("HOME", ".config/provdb", id="home"),
        pytest.param("XDG_CONFIG_HOME", "provdb", id="xdg"),
    ],
)
def test_usual_file_is_read_if_it_exists(
    tmp_path: Path, variable: str, folder: str
) -> None:
    path = tmp_path / folder / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text('uri = "memory://"')

    config = load_config(environ={variable: str(tmp_path)})

    assert (config.uri, config.sources["uri"]) == ("memory://", str(path))


@pytest.mark.parametrize(
    ("environ", "platform", "uri"),
    [
        pytest.param(
            {"HOME": "/h"},
            "linux",
            "sqlite:///h/.local/share/provdb/provdb.db",
            id="linux",
        ),
        pytest.param(
            {"HOME": "/h"},
            "darwin",
            "sqlite:///h/Library/Application Support/provdb/provdb.db",
            id="macos",
        ),
        pytest.param(
            {"HOME": "/h", "XDG_DATA_HOME": "/data"},
            "linux",
            "sqlite:///data/provdb/provdb.db",
            id="xdg",
        ),
        pytest.param(
            {"HOME": "/h", "XDG_DATA_HOME": "relative"},
            "linux",
            "sqlite:///h/.local/share/provdb/provdb.db",
            id="relative xdg is ignored",
        ),
    ],
)
def test_default_store_is_in_the_data_folder(
    environ: dict[str, str], platform: str, uri: str
) -> None:
    assert load_config(environ=environ, platform=platform).uri == uri


def test_no_home_is_needed_when_the_store_is_given() -> None:
    assert load_config(environ={}, uri="memory://").uri == "memory://"


def test_views_are_passed_on_as_they_are(write: Write, home: dict[str, str]) -> None:
    path = write('[[views]]\nname = "dl3"\nsteps = ["dl2_to_dl3"]\n')

    config = load_config(environ=home, config_file=path)

    assert config.views == ({"name": "dl3", "steps": ["dl2_to_dl3"]},)
    assert config.rows()[3] == ("views", "1 of your own", str(path))


@pytest.mark.parametrize(
    ("text", "setting", "message"),
    [
        pytest.param("uri = ", None, "not valid TOML", id="syntax"),
        pytest.param("ur1 = 'x'", "ur1", "did you mean uri", id="near"),
        pytest.param(
            "zzz = 1", "zzz", "known are uri, spool_dir, timezone", id="unknown"
        ),
        pytest.param("uri = 27017", "uri", "text in quotes, not of type int", id="int"),
        pytest.param("uri = ' '", "uri", "the store URI is empty", id="empty"),
        pytest.param(
            "[[link_rules]]\nname = 'dl1'",
            "link_rules",
            "link rules belong to the store; write them into a file of their own, "
            "which 'provdb db rules add FILE.toml' adds to it",
            id="link rules",
        ),
        pytest.param("views = [1]", "views", "[[views]]", id="view"),
        pytest.param("views = 'all'", "views", "[[views]]", id="views"),
        pytest.param(
            "timezone = 'Europe/Madrit'",
            "timezone",
            "did you mean Europe/Madrid?",
            id="timezone",
        ),
    ],
)
def test_wrong_file_is_named_with_what_is_wrong(
    write: Write, home: dict[str, str], text: str, setting: str | None, message: str
) -> None:
    path = write(text)

    with pytest.raises(ConfigError) as caught:
        load_config(environ=home, config_file=path)

    assert str(path) in str(caught.value)
    assert message in str(caught.value)
    assert caught.value.setting == (setting or str(path))


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        pytest.param(
            {"PROVDB_CONFIG": "/nowhere/provdb.toml"},
            "/nowhere/provdb.toml of PROVDB_CONFIG does not exist",
            id="missing file",
        ),
        pytest.param({"PROVDB_CONFIG": "/"}, "file / cannot be read", id="folder"),
        pytest.param(
            {"PROVDB_TIMEZONE": "../../etc"}, "PROVDB_TIMEZONE: there", id="timezone"
        ),
        pytest.param({"HOME": ""}, "set PROVDB_URI or HOME", id="homeless"),
    ],
)
def test_wrong_environment_is_refused(
    home: dict[str, str], environ: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(environ=home | environ)


def test_bytes_that_are_not_text_are_refused(
    tmp_path: Path, home: dict[str, str]
) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b'uri = "\xff"')

    with pytest.raises(ConfigError, match="not valid TOML"):
        load_config(environ=home, config_file=path)


def test_config_never_shows_the_password(home: dict[str, str]) -> None:
    config = load_config(environ=home, uri="mongodb://osa:secret@cp01/provenance")

    assert "secret" not in repr(config)
    assert "secret" not in str(config.rows())
    assert isinstance(config, Config)


@pytest.mark.parametrize(
    ("uri", "masked"),
    [
        pytest.param("mongodb://u:p@h/db", "mongodb://u:***@h/db", id="plain"),
        pytest.param("mongodb://u:p@w@x@h", "mongodb://u:***@h", id="several ats"),
        pytest.param("mongodb://u:a:b@h", "mongodb://u:***@h", id="colon"),
        pytest.param("mongodb://u:a/b@c@h/db", "mongodb://u:***@h/db", id="slash"),
        pytest.param("mongodb://u:a?b@h/db", "mongodb://u:***@h/db", id="question"),
        pytest.param("mongodb://u:a?b=c@h/d", "mongodb://u:***@h/d", id="option-like"),
        pytest.param("mongodb://u:@h", "mongodb://u:***@h", id="empty password"),
        pytest.param("mongodb+srv://u:p@h/d", "mongodb+srv://u:***@h/d", id="srv"),
        pytest.param(
            "mongodb://u:p@a:1,b:2/db?replicaSet=rs0",
            "mongodb://u:***@a:1,b:2/db?replicaSet=rs0",
            id="replica set",
        ),
        pytest.param(
            "mongodb://u:p@h/db?appName=a@b",
            "mongodb://u:***@h/db?appName=a@b",
            id="at in an option",
        ),
        pytest.param(
            "mongodb://h/?tlsCertificateKeyFilePassword=p&tls=true",
            "mongodb://h/?tlsCertificateKeyFilePassword=***&tls=true",
            id="option with a password",
        ),
        pytest.param("u:p@h", "u:***@h", id="no scheme"),
        pytest.param("u:p://x@h", "u:***@h", id="odd scheme"),
    ],
)
def test_password_is_masked(uri: str, masked: str) -> None:
    assert mask_uri(uri) == masked


@pytest.mark.parametrize(
    "uri",
    [
        "mongodb://h:27017/db?appName=a@b",
        "mongodb://a:1,b:2/db?appName=x:y@z",
        "mongodb://u@h/db",
        "mongodb://[::1]:27017/db",
        "sqlite:///home/a:b@c/provdb.db",
        "memory://",
        "",
        "@",
        "://",
    ],
)
def test_uri_without_password_stays_as_it_is(uri: str) -> None:
    assert mask_uri(uri) == uri


@given(st.text(st.characters(exclude_characters="?/")))
def test_any_password_is_masked(password: str) -> None:
    assert mask_uri(f"mongodb://u:{password}@h/db") == "mongodb://u:***@h/db"


@given(st.text("ab:/?@=&,1", max_size=30))
def test_masking_twice_is_masking_once(uri: str) -> None:
    once = mask_uri(f"mongodb://{uri}")

    assert mask_uri(once) == once
