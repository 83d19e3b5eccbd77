"""Records as the JSON that a spool line holds, without secrets. Pure.

It runs in the pipeline's own time, so what is plain, as nearly all records are, is
written by orjson at once.
"""

from typing import Any, Final

import orjson

from provdb.capture.plain import plain
from provdb.capture.spool import ENCODED, PLAIN
from provdb.model import decode, encode
from provdb.secrets.redaction import may_hold_secret, redact, redact_text

__all__ = ["decode_value", "encode_value"]

# What orjson would write in its own way is left to `plain`.
_OPTIONS: Final = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
# It writes a NaN as it writes None.
_MAYBE_NAN: Final = b"null"


def encode_value(value: Any) -> tuple[bytes, bytes]:
    """Return the key and the JSON text of a record, or of a line of a text log.

    Args:
        value: A record, whose values may be anything; or a text.

    >>> encode_value({"activity_id": "621ca2", "parameters": {"db_password": "x"}})
    (b'encoded', b'{"activity_id":"621ca2","parameters":{"db_password":"***"}}')
    """
    try:
        if isinstance(value, str):
            return PLAIN, orjson.dumps(redact_text(value))
        payload = orjson.dumps(value, default=plain, option=_OPTIONS)
        if _MAYBE_NAN not in payload and not may_hold_secret(payload):
            return PLAIN, payload
    except (TypeError, RecursionError):
        pass  # It holds what JSON does not.
    kept = redact_text(value) if isinstance(value, str) else redact(plain(value))
    return ENCODED, orjson.dumps(encode(kept))


def decode_value(key: bytes, payload: bytes) -> Any:
    """Return the record or the text that a payload holds."""
    value = orjson.loads(payload)
    return decode(value) if key == ENCODED else value
