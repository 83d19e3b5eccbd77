"""No secret is written down, and nothing else is touched."""

import json
import shlex
import timeit
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from provdb.model.values import canonical, encode
from provdb.readers.literal import parse_literal
from provdb.secrets.redaction import (
    MASK,
    is_secret_name,
    may_hold_secret,
    redact,
    redact_text,
)
from tests.model.literals import literals
from tests.samples import NIGHT_LOG, every_log, read_log, records_of

SECRET = "xYz-3141-QqQ"
NAMES = (
    "password",
    "DB_PASSWORD",
    "passwd",
    "dbPasswd",
    "ssh.passphrase",
    "db_pwd",
    "pwd",
    "client-secret",
    "AccessToken",
    "credentials",
    "api_key",
    "API-KEY",
    "apikey",
    "private_key",
    "AWS_ACCESS_KEY_ID",
    "Authorization",
)
# As odd as a password can be where its end can be told.
ODD = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="@/?#"),
    min_size=1,
    max_size=6,
).map(lambda odd: f"{SECRET}{odd}{SECRET}")
ANY = st.text(st.characters(exclude_categories=()), max_size=6).map(
    lambda odd: f"{SECRET}{odd}{SECRET}"
)
NAME = st.sampled_from(NAMES)
FLAGS = st.sampled_from([f"--{name}" for name in NAMES] + ["-password", "-db-token"])
LOG_LINE = "INFO provLogger __PROV__2020-05-18T14:18:30__PROV__"


def texts_with(secret: str) -> list[str]:
    """Return texts of every spelling that hold a secret without blanks or quotes."""
    spelled = [
        spelling.format(name=name, secret=secret)
        for name in NAMES
        for spelling in (
            "--{name}={secret}",
            "{name}={secret}",
            "{name}: {secret}",
            "{name} = '{secret}'",
            'run --{name}="{secret}" 01618',
            "run with {name}={secret} and 01618",
            "run --{name} {secret} 01618",
            "{{'{name}': '{secret}'}}",
            '{{"{name}": "{secret}", "run": 1618}}',
            'x = "{{\\"{name}\\": \\"{secret}\\"}}"',
            "Config({name}='{secret}', run=1618)",
            "environ['{name}'] = '{secret}'",
            "<config><{name}>{secret}</{name}></config>",
            "# {name}: {secret}\nrun: 1618",
            "it's {{'{name}': '{secret}'",
        )
    ]
    return [
        *spelled,
        f"mongodb://osa:{secret}@cp01/provenance",
        f"see mongodb+srv://osa:{secret}@cp01,cp02:27017/?w=1, and 01618",
        f"redis://:{secret}@cp01",
        f"https://{secret}@github.com/cta-lstchain.git",
        f"jdbc:mysql://osa:{secret}@cp01/db",
        f"curl -H 'Authorization: Bearer {secret}' cp01",
        f"Authorization: Basic {secret}",
        f"a bearer {secret} of it",
        f"-----BEGIN RSA PRIVATE KEY-----\n{secret}\n-----END RSA PRIVATE KEY-----\n",
        f"-----BEGIN PRIVATE KEY-----\n{secret}",
    ]


SECRET_TEXTS = st.sampled_from(texts_with(SECRET))
PLANTED = (
    st.builds(lambda name, secret: {name: secret}, NAME, ANY)
    | st.builds(lambda name, secret: {name: {"a": [(1, secret)]}}, NAME, ANY)
    | st.builds(lambda name, secret: {name.encode(): secret}, NAME, ANY)
    | st.builds(lambda name, secret: {("db", name): secret}, NAME, ANY)
    | st.builds(lambda name, secret: {(name, "db"): [secret]}, NAME, ANY)
    | st.builds(lambda flag, secret: ["run", flag, secret, "01618"], FLAGS, ANY)
    | st.builds(lambda flag, secret: ("run", f"{flag}={secret}"), FLAGS, ANY)
    | SECRET_TEXTS
    | SECRET_TEXTS.map(lambda text: {text})
    | SECRET_TEXTS.map(lambda text: {text: 1})
    | SECRET_TEXTS.map(str.encode)
)


def nested(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Hide values in others, also as the text of a literal."""
    return (
        st.builds(lambda part, other: [other, part], parts, literals(3))
        | st.builds(lambda part, other: (part, other), parts, literals(3))
        | st.builds(lambda part: {"parameters": part}, parts)
        | st.builds(lambda part: {"text": f"it is {part!r}"}, parts)
        | st.builds(lambda part: f"{LOG_LINE}{part!r}", parts)
    )


def is_literal(text: str) -> bool:
    """Say whether Python reads it; it does not read what it writes of infinity."""
    try:
        parse_literal(text)
    except ValueError:
        return False
    return True


HIDDEN = st.recursive(PLANTED, nested, max_leaves=3)


@given(HIDDEN)
def test_a_planted_secret_never_survives(value: Any) -> None:
    assert SECRET not in repr(redact(value))


@given(HIDDEN)
def test_a_planted_secret_is_suspected_in_json(value: Any) -> None:
    assert may_hold_secret(canonical(encode(value)))


@given(HIDDEN)
def test_a_planted_secret_never_survives_in_a_log_line(value: Any) -> None:
    line = f"{LOG_LINE}{ {'parameters': value}!r}"

    assert may_hold_secret(line.encode("utf-8", "backslashreplace"))
    assert SECRET not in redact_text(line)


@given(HIDDEN)
def test_a_masked_log_line_is_still_a_literal(value: Any) -> None:
    line = f"{LOG_LINE}{ {'parameters': value, 'run': '01618'}!r}"
    assume(is_literal(line.removeprefix(LOG_LINE)))

    masked = redact_text(line)

    assert masked.startswith(LOG_LINE)
    assert parse_literal(masked.removeprefix(LOG_LINE))["run"] == "01618"


@given(PLANTED)
def test_masking_twice_changes_nothing_more(value: Any) -> None:
    masked = redact(value)

    assert redact(masked) is masked


@given(NAME, ODD)
def test_a_password_with_odd_characters_never_survives(name: str, odd: str) -> None:
    texts = [
        f"--uri mongodb://osa:{odd}@cp01/provenance 01618",
        f"run --{name}={shlex.quote(odd)} 01618",
        f"run --{name} {shlex.quote(odd)} 01618",
        json.dumps({"text": json.dumps({name: odd})}),
        repr({"text": repr({name: odd})}),
        f"{name} = {odd!r}",
    ]

    assert [text for text in texts if SECRET in redact_text(text)] == []


@pytest.mark.parametrize("odd", ["\xa0", "à", "\x85", "\u2003", "\udcff"])
def test_a_blank_that_is_no_ascii_ends_no_password(odd: str) -> None:
    text = f"run password={SECRET}{odd}{SECRET} s://u:{SECRET}{odd}{SECRET}@cp01"

    assert SECRET not in redact_text(text)
    assert SECRET not in repr(redact(text.encode("utf-8", "surrogateescape")))


@given(st.text(st.characters(exclude_characters="\r\n@"), max_size=8))
@example("p ss w")
@example("12 ab")
def test_a_uri_that_is_a_whole_text_may_have_any_password(odd: str) -> None:
    assume(not odd.startswith("/"))
    uri = f"mongodb://osa:{SECRET}{odd}{SECRET}@cp01/provenance"

    assert redact_text(uri) == "mongodb://osa:***@cp01/provenance"


@given(literals())
def test_what_is_not_suspected_is_not_changed(value: Any) -> None:
    is_suspected = may_hold_secret(canonical(encode(value)))

    assert is_suspected or redact(value) is value


@given(st.text(alphabet="pwdkeytoknscr=:'\"\\@/{}[](), -\n"))
@example("password=")
@example("'token': {'a")
@example('{"pwd": [}')
@example("://:@")
def test_any_text_is_taken(text: str) -> None:
    masked = redact_text(text)

    assert redact_text(masked) == masked


@every_log
def test_real_logs_stay_as_they_are(log: Any) -> None:
    text = read_log(log)
    lines = text.decode().splitlines()

    assert [line for line in lines if redact_text(line) is not line] == []
    assert [r for r in records_of(text) if redact(r) is not r] == []


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        pytest.param(
            "datasequence --uri=mongodb://osa:p@cp01/db 01618",
            "datasequence --uri=mongodb://osa:***@cp01/db 01618",
            id="URI",
        ),
        pytest.param("git+https://t0k@cp01/x", "git+https://***@cp01/x", id="https"),
        pytest.param("ssh://lst@cp01/x", "ssh://lst@cp01/x", id="user of ssh"),
        pytest.param(
            "see https://cp01:8080/a and osa@cp01",
            "see https://cp01:8080/a and osa@cp01",
            id="port and mail",
        ),
        pytest.param("--db-password=p q", "--db-password=***", id="argument"),
        pytest.param("x --token abc y", "x --token *** y", id="flag"),
        pytest.param("x -p abc y", "x -p abc y", id="plain -p"),
        pytest.param("--ask-password --v", "--ask-password --v", id="flag without"),
        pytest.param("run password=p x", "run password=*** x", id="in a line"),
        pytest.param(
            "a: 1\npassword: my words # note\nb: 2",
            "a: 1\npassword: ***\nb: 2",
            id="YAML",
        ),
        pytest.param(
            '{"password": null, "a": [1]}', '{"password": "***", "a": [1]}', id="JSON"
        ),
        pytest.param(
            "x {'pwd': {'a': '}'}, 'b': (1,)} y",
            "x {'pwd': '***', 'b': (1,)} y",
            id="nested value",
        ),
        pytest.param("PWD=/fefs/aswg", "PWD=/fefs/aswg", id="folder"),
        pytest.param("{'OLDPWD': '/fefs'}", "{'OLDPWD': '/fefs'}", id="old folder"),
        pytest.param("the session of the author", "the session of the author", id="no"),
        pytest.param("QUJDcHdkpwd==", "QUJDcHdkpwd==", id="base64"),
        pytest.param("tokens were read", "tokens were read", id="prose"),
    ],
)
def test_of_a_text_no_more_is_masked_than_needed(text: str, masked: str) -> None:
    assert redact_text(text) == masked


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        pytest.param({"PWD": "/a", "DB_PWD": "p"}, {"PWD": "/a", "DB_PWD": MASK}),
        pytest.param({"token": None}, {"token": MASK}),
        pytest.param({"author": "a", "session": 1}, {"author": "a", "session": 1}),
        pytest.param(["--token", 7, "x"], ["--token", MASK, "x"]),
        pytest.param(["--use-token", "--all"], ["--use-token", "--all"]),
        pytest.param(["-p", "x"], ["-p", "x"]),
        pytest.param((b"pwd=x",), (b"pwd=***",)),
        pytest.param(
            {"//u:a@h": 1, "//u:b@h": 2, "s://u:a@h": 3, "s://u:b@h": 4},
            {"//u:a@h": 1, "//u:b@h": 2, "s://u:***@h": 3, "s://u:***@h (2)": 4},
        ),
    ],
    ids=repr,
)
def test_of_a_value_no_more_is_masked_than_needed(value: Any, masked: Any) -> None:
    assert redact(value) == masked


def test_only_what_holds_a_secret_is_new() -> None:
    value = {"parameters": {"a": [1]}, "uri": "mongodb://osa:p@cp01"}

    masked = redact(value)

    assert value["uri"] == "mongodb://osa:p@cp01"
    assert masked["parameters"] is value["parameters"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("password" * 20_000, id="names"),
        pytest.param("{" * 100_000 + "password=x", id="brackets"),
        pytest.param("a://u:p@" * 20_000, id="URIs"),
        pytest.param("password='" + "\\'" * 100_000, id="escapes"),
        pytest.param("-----BEGIN PRIVATE KEY" * 10_000, id="keys"),
        pytest.param("['password'," * 10_000, id="lists"),
    ],
)
def test_a_long_text_takes_no_long_time(text: str) -> None:
    seconds = timeit.timeit(lambda: redact_text(text), number=1)

    assert seconds < 5


@pytest.mark.parametrize(
    ("name", "is_secret"),
    [
        ("Password", True),
        ("PWD", False),
        ("session_id", False),
        ("pa\u017f\u017fword", False),
    ],
)
def test_names_of_secrets(name: str, is_secret: bool) -> None:
    assert is_secret_name(name) is is_secret


def test_the_records_of_a_night_are_quickly_found_harmless() -> None:
    lines = read_log(NIGHT_LOG).splitlines()

    suspected = sum(map(may_hold_secret, lines))

    assert suspected < len(lines) / 10
