"""Passwords and tokens: found, masked, and never copied. Pure but to read a file."""

from provdb.secrets.copies import copy_record
from provdb.secrets.redaction import redact, redact_text

__all__ = ["copy_record", "redact", "redact_text"]
