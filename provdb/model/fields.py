"""The names of the fields of stored documents, each written once.

Records keep the pipelines' spelling (``startTime``, ``used_id``); documents are
snake_case. Which record field becomes which document field is said by the
tables in ``activity``, ``entity``, ``file`` and ``session``.
"""

from typing import Final

ID: Final = "_id"
SCHEMA_VERSION: Final = "schema_version"
WRITTEN: Final = "written"
EXTRA: Final = "extra"
OTHER_RECORDS: Final = "other_records"

NAME: Final = "name"
LEVEL: Final = "level"
RUN: Final = "run"
SUBRUN: Final = "subrun"
SIMULATION_RUN: Final = "simulation_run"
TELESCOPE: Final = "telescope"
STREAM: Final = "stream"
PARTICLE: Final = "particle"
DATA_KIND: Final = "data_kind"
DATE: Final = "date"
FIXED: Final = "fixed"
PATTERN: Final = "pattern"
SESSION_TAG: Final = "session_tag"
SESSION_ID: Final = "session_id"

ACTIVITY_ID: Final = "activity_id"
STATUS: Final = "status"
START: Final = "start"
START_MICROSECONDS: Final = "start_microseconds"
START_AMBIGUOUS: Final = "start_ambiguous"
SESSION_START: Final = "session_start"
END: Final = "end"
END_MICROSECONDS: Final = "end_microseconds"
END_AMBIGUOUS: Final = "end_ambiguous"
STARTED_BY: Final = "started_by"
DRY_RUN: Final = "dry_run"
RECORDED: Final = "recorded"
AGENT: Final = "agent"
SCRIPT: Final = "script"
GRANULARITY: Final = "granularity"
ARGUMENTS: Final = "arguments"
PARAMETERS: Final = "parameters"
USED: Final = "used"
GENERATED: Final = "generated"
INVALIDATED: Final = "invalidated"
ENVIRONMENT: Final = "environment"
END_EXTRA: Final = "end_extra"
END_WRITTEN: Final = "end_written"

ENTITY: Final = "entity"
ROLE: Final = "role"
HASH: Final = "hash"
MODE: Final = "mode"
SOURCE: Final = "source"

LOCATION: Final = "location"
FILE_NAME: Final = "file_name"
TYPE: Final = "type"
CONTENT_TYPE: Final = "content_type"
HASH_TYPE: Final = "hash_type"
SIZE: Final = "size"
SESSION_TAGS: Final = "session_tags"
DESCRIPTIONS: Final = "descriptions"
DERIVED_FROM: Final = "derived_from"
MEMBERS: Final = "members"

PROPERTIES: Final = "properties"
EXECUTIONS: Final = "executions"
EXECUTION_COUNT: Final = "execution_count"
FIRST_START: Final = "first_start"
LAST_START: Final = "last_start"
PROCESS: Final = "process"

SYSTEM: Final = "system"
NODE: Final = "node"
INTERPRETER: Final = "interpreter"
PACKAGES: Final = "packages"

COPIES: Final = "copies"
NAMES: Final = "names"
CONTENT: Final = "content"
CONTENT_LEFT_OUT: Final = "content_left_out"
WITHOUT_CONTENT: Final = "without_content"
OF_ACTIVITIES: Final = "of_activities"

READERS: Final = "readers"
SIZES: Final = "sizes"
TIMES: Final = "times"
FORMATS: Final = "formats"

ACTIVITIES: Final = "activities"
ENTITIES: Final = "entities"
SESSIONS: Final = "sessions"
ENVIRONMENTS: Final = "environments"
FILES: Final = "files"
# Of the provenance, in the order in which they are written.
COLLECTIONS: Final = (ENVIRONMENTS, ENTITIES, SESSIONS, ACTIVITIES, FILES)
# Of what was read already, and all that a store has.
READINGS: Final = "readings"
STORED: Final = (*COLLECTIONS, READINGS)
