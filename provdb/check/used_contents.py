"""Contents of data that no known step wrote, as the uses of them recorded it."""

from provdb.check.report import Fault, Findings
from provdb.model import Document, file_name, format_time
from provdb.model import fields as f
from provdb.store import Store

__all__ = ["UsedContents"]


class UsedContents:
    """Finds data, such as raw data, that two steps used with different contents."""

    def __init__(self) -> None:
        """Begin without any."""
        self._contents: dict[str, str] = {}
        self._files: dict[str, Document] = {}

    def add(self, file: Document, content: str) -> None:
        """Take a use of a file that nobody is known to have written.

        Args:
            file: The entity.
            content: The recorded digest, in lower case.
        """
        known = self._contents.setdefault(file[f.ID], content)
        # A digest of another length is of another method.
        if known != content and len(known) == len(content):
            self._files[file[f.ID]] = file

    def check(self, store: Store, *, findings: Findings) -> None:
        """Add a finding for each use whose content is not that of the first use.

        Args:
            store: Where the documents are.
            findings: Where to add what is wrong.
        """
        for id_, file in sorted(self._files.items()):
            # In the order of time, whatever the order of the store.
            first: dict[int, tuple[Document, str]] = {}
            for activity in sorted(store.usages([id_]), key=_order):
                for digest in sorted(_digests(activity, id_)):
                    known = first.setdefault(len(digest), (activity, digest))
                    earlier, content = known
                    if digest != content:
                        _add(file, activity, earlier, findings)


def _add(
    file: Document, later: Document, earlier: Document, findings: Findings
) -> None:
    step, name = later.get(f.NAME), earlier.get(f.NAME)
    location = file[f.LOCATION]
    start = earlier.get(f.START)
    when = "" if start is None else f" at {format_time(start)}"
    findings.add(
        Fault(
            "content conflict",
            step,
            f"{file_name(location)} is not what {name} used before",
            file[f.ID],
        ),
        later,
        file=file,
        sentence=(
            f"The content of {location} that {step} used is not what {name} "
            f"used{when}, and no step is known to have written it."
        ),
    )


def _digests(activity: Document, entity: str) -> set[str]:
    """Return the digests that an activity recorded; a dry run reads nothing."""
    if activity.get(f.DRY_RUN):
        return set()
    return {
        str(link[f.HASH]).lower()
        for link in activity.get(f.USED, ())
        if link[f.ENTITY] == entity and link.get(f.HASH)
    }


def _order(activity: Document) -> tuple[bool, float, str]:
    start = activity.get(f.START)
    return (
        start is not None,
        0.0 if start is None else start.timestamp(),
        activity[f.ID],
    )
