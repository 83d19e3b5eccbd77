"""``provdb export``: a lineage, or all of a tag, in the formats of others."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from provdb_cli.completeness import end_if_strict, warn_of_doubts
from provdb_cli.errors import warn
from provdb_cli.options import (
    GRAPH_FORMATS,
    FileName,
    SessionTag,
    collapse_option,
    link_option,
    reach_options,
    strict_option,
)
from provdb_cli.output import print_export
from provdb_cli.settings import Settings

if TYPE_CHECKING:
    from provdb.lineage import Lineage
    from provdb.store import Store

__all__ = ["export"]

_DEFAULT: Final = "prov-json"


@click.command()
@click.argument("file", type=FileName(), required=False)
@click.option(
    "--tag",
    type=SessionTag(),
    metavar="TAG",
    help="Export all steps of a session tag instead of the lineage of a file (* and ? "
    "are wild: '*:01807' is a run, '*' is everything).",
)
@click.option("--impact", is_flag=True, help="Export what came from FILE instead.")
@collapse_option
@reach_options
@strict_option
@link_option
@click.option(
    "--definition",
    "definition_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Add what a definition declares, in the classes of the IVOA's model.",
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(GRAPH_FORMATS),
    metavar="FORMAT",
    help=f"One of {', '.join(GRAPH_FORMATS)}; told by the ending of the output file, "
    "else prov-json.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write to FILE instead of stdout; its ending chooses the format.",
)
@click.pass_obj
def export(
    settings: Settings,
    /,
    *,
    file: str | None,
    tag: str | None,
    impact: bool,
    granularity: str | None,
    link_template: str | None,
    definition_file: Path | None,
    format_name: str | None,
    output: Path | None,
    is_strict: bool,
    **options: Any,
) -> None:
    """Write everything FILE came from as PROV, for other tools.

    Steps are activities, and versions of files are entities, in every format. A file
    that several steps wrote in parts is a collection of the parts. Relations say how
    they are known and what is in doubt. 'provdb ingest' reads PROV-JSON, PROV-XML,
    PROV-N and RDF into any store again.

    \b
    Example:
      provdb export dl2_LST-1.Run01807.h5 -o lineage.json
      provdb export dl2_LST-1.Run01807.h5 --format prov-n
      provdb export --tag 'r0_to_dl1:*' -o r0_to_dl1.ttl
    """
    from provdb.capture.definition import get_definition
    from provdb.export import format_of

    if (file is None) == (tag is None):
        raise click.UsageError("name a FILE or a --tag, one of both")
    if tag is not None and impact:
        raise click.UsageError("--impact is about a FILE, not about a --tag")
    if format_name is None:
        format_name = _DEFAULT if output is None else format_of(output).name
    definition = None if definition_file is None else get_definition(definition_file)
    with settings.open_store() as store:
        answer = _answer(
            settings, store, file=file, tag=tag, is_impact=impact, **options
        )
        for warning in answer.warnings:
            warn(f"warning: {warning}")
        print_export(
            answer,
            store,
            format_name=format_name,
            output=output,
            granularity=granularity,
            link_template=link_template,
            definition=definition,
        )
    warn_of_doubts(answer.completeness, answer.sentence)
    end_if_strict(answer.completeness, is_strict=is_strict)


def _answer(
    settings: Settings,
    store: "Store",
    *,
    file: str | None,
    tag: str | None,
    is_impact: bool,
    no_inferred: bool,
    **options: Any,
) -> "Lineage":
    from provdb.lineage import (
        WalkOptions,
        impact,
        lineage,
        tag_lineage,
    )

    rules = () if no_inferred else None
    if file is None:
        given = [name for name, value in options.items() if value not in (None, ())]
        if given:
            name = given[0].replace("_", "-")
            raise click.UsageError(f"--{name} is about a FILE, not about a --tag")
        return tag_lineage(store, tag or "", rules=rules)
    ask = impact if is_impact else lineage
    return ask(store, file, options=WalkOptions(rules=rules, **options))
