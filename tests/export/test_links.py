"""Links to the data: filled in from a template, safe whatever the data are."""

from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provdb.errors import WrongTemplate
from provdb.export.links import LINK_FIELDS, LinkTemplate
from provdb.lineage import LineageNode

_R0 = "/R0/20191123/LST-1.1.Run01618.0008.fits.fz"


def node(**fields: Any) -> LineageNode:
    return LineageNode(
        **{"id": "31ac@9f", "kind": "entity", "entity": "31ac", **fields}
    )


@pytest.mark.parametrize(
    ("template", "link"),
    [
        ("file://{location}", f"file://{_R0}"),
        ("https://lst.example/{run}/{subrun}", "https://lst.example/1618/8"),
        ("https://lst.example/{run:05d}.{subrun:04}", "https://lst.example/01618.0008"),
        ("http://x/?f={file_name}&l={level}", f"http://x/?f={_R0[13:]}&l=R0"),
        ("http://x/{id}?{name}#top", "http://x/31ac?R0SubrunDataset#top"),
        ("http://x/{{}}/{level}", "http://x/%7B%7D/R0"),
        ("/data{location}", f"/data{_R0}"),
        ("http://x/a b\n", "http://x/a%20b%0A"),
    ],
)
def test_the_fields_of_a_template_are_filled_in(template: str, link: str) -> None:
    file = node(name="R0SubrunDataset", location=_R0, level="R0", run=1618, subrun=8)

    assert LinkTemplate(template)(file) == link


@pytest.mark.parametrize(
    ("location", "link"),
    [
        ("/a b/ü#?.h5", "file:///a%20b/%C3%BC%23%3F.h5"),
        ("https://lst.example/a?b=1&c", "https://lst.example/a?b=1&c"),
        ("root://eos//a b", "root://eos//a%20b"),
        ('https://x/"><script>', "https://x/%22%3E%3Cscript%3E"),
        ("dl1.h5", None),
        ("javascript:alert(1)", None),
        ("", None),
        (None, None),
    ],
)
def test_a_place_that_is_a_url_is_its_own_link(
    location: str | None, link: str | None
) -> None:
    assert LinkTemplate()(node(location=location)) == link


@pytest.mark.parametrize(
    "template", ["http://x/{run}", "http://x/{level}", "http://x/{subrun:04d}"]
)
def test_what_lacks_a_field_has_no_link(template: str) -> None:
    assert LinkTemplate(template)(node(location=_R0)) is None


def test_a_step_has_no_link() -> None:
    step = node(kind="activity", run=1618)

    assert LinkTemplate("http://x/{run}")(step) is None


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("http://x/{path}", f"no field {{path}}; known are {', '.join(LINK_FIELDS)}"),
        ("http://x/{location.__class__}", "no field {location.__class__}"),
        ("http://x/{location[0]}", "no field {location[0]}"),
        ("http://x/{}", "no field {}"),
        ("http://x/{0}", "no field {0}"),
        ("http://x/{location!r}", "location is written {location}"),
        ("http://x/{location:>9}", "location is written {location}"),
        ("http://x/{run:999999999d}", "run is written {run}"),
        ("http://x/{run:{subrun}}", "run is written {run}"),
        ("http://x/{run", "expected '}' before end of string"),
        ("http://x/}", "Single '}'"),
        ("javascript:alert({run})", "no link may start with javascript:"),
        (" JavaScript:alert(1)", "no link may start with JavaScript:"),
        ("data:text/html,{name}", "no link may start with data:"),
    ],
)
def test_a_wrong_template_is_refused(template: str, said: str) -> None:
    with pytest.raises(WrongTemplate) as caught:
        LinkTemplate(template)

    assert said in str(caught.value)
    assert caught.value.template == template


@given(text=st.text(min_size=1))
def test_data_stay_one_part_of_a_url(text: str) -> None:
    link = LinkTemplate("https://lst.example/get?name={name}&end=1")
    found = link(node(location="/a", name=text))

    parts = urlsplit(str(found))
    assert (parts.scheme, parts.netloc, parts.path, parts.fragment) == (
        "https",
        "lst.example",
        "/get",
        "",
    )
    name, end = parts.query.split("&")
    assert (unquote(name), end) == (f"name={text}", "end=1")


@given(text=st.text(min_size=1))
def test_data_never_say_what_kind_of_url_it_is(text: str) -> None:
    link = LinkTemplate("{location}")(node(location=text))

    assert urlsplit(str(link)).scheme == ""
