"""Locations: what is one file by its text, and what by the aliases of a store."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provdb.model.locations import canonical_alias, canonical_location, spellings

DL1 = "/fefs/aswg/DL1/dl1_LST-1.Run04000.0000.h5"
MOUNTS = (("/mnt/lst", "/fefs/aswg"), ("/lustre/fefs", "/fefs"))
PATHS = st.lists(
    st.sampled_from(["/", "//", ".", "..", "a", "\u00e9", "e\u0301", "%20", "x:"]),
    max_size=8,
).map("".join)


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("/fefs/aswg//DL1/dl1_LST-1.Run04000.0000.h5", id="two slashes"),
        pytest.param("//fefs/aswg/DL1/dl1_LST-1.Run04000.0000.h5", id="at the root"),
        pytest.param("/fefs/./aswg/DL1/./dl1_LST-1.Run04000.0000.h5", id="dot"),
        pytest.param("/fefs/aswg/DL2/../DL1/dl1_LST-1.Run04000.0000.h5", id="dots"),
        pytest.param("/../fefs/aswg/DL1/dl1_LST-1.Run04000.0000.h5", id="above root"),
        pytest.param("/fefs/aswg/DL1/dl1_LST-1.Run04000.0000.h5/", id="slash at end"),
        pytest.param(f"file://{DL1}", id="file URL"),
        pytest.param(f"file:{DL1}", id="file URL without a host"),
        pytest.param(f"FILE://localhost{DL1}", id="file URL of this host"),
        pytest.param(f"file://{DL1}".replace("_", "%5F"), id="escapes"),
    ],
)
def test_spellings_of_one_path_are_one_location(written: str) -> None:
    assert canonical_location(written) == DL1


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        pytest.param("/", "/", id="root"),
        pytest.param("//", "/", id="two slashes"),
        pytest.param("", "", id="empty"),
        pytest.param(".", ".", id="dot"),
        pytest.param("./dl1.h5", "dl1.h5", id="relative"),
        pytest.param("../DL1//dl1.h5", "../DL1/dl1.h5", id="relative above"),
        pytest.param("/DL1/e\u0301.h5", "/DL1/\u00e9.h5", id="Unicode form"),
        pytest.param("file:///DL1/e%CC%81.h5", "/DL1/\u00e9.h5", id="escaped Unicode"),
        pytest.param("file:///DL1/%FF.h5", "/DL1/%FF.h5", id="escape of no UTF-8"),
        pytest.param("file:///DL1/%00.h5", "/DL1/%00.h5", id="escape of a NUL"),
        pytest.param("file://cp01//DL1/a.h5", "file://cp01/DL1/a.h5", id="host"),
        pytest.param("s3://lst//DL1/../a.h5", "s3://lst/a.h5", id="other scheme"),
        pytest.param("https://a.org/", "https://a.org", id="host alone"),
        pytest.param("http://a.org/x/?p=/../y", "http://a.org/x?p=/../y", id="query"),
        pytest.param("/DL1/a%20b.h5", "/DL1/a%20b.h5", id="percent in a path"),
        pytest.param("/DL1/..h5", "/DL1/..h5", id="dots in a name"),
    ],
)
def test_the_canonical_location_of(written: str, canonical: str) -> None:
    assert canonical_location(written) == canonical


@given(PATHS)
def test_a_canonical_location_stays_as_it_is(written: str) -> None:
    canonical = canonical_location(written)

    assert canonical_location(canonical) == canonical


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        pytest.param("F69C1A88-C8DF-4E89-A78F-1A34F30E3B20", None, id="upper case"),
        pytest.param("f69c1a88c8df4e89a78f1a34f30e3b20", None, id="no dashes"),
        pytest.param("urn:uuid:f69c1a88-c8df-4e89-a78f-1a34f30e3b20", None, id="URN"),
        pytest.param("LFN:/ctao/DL0/a.fits", "/ctao/DL0/a.fits", id="logical name"),
        pytest.param("lfn:///ctao/DL0//a.fits", "/ctao/DL0/a.fits", id="its URL"),
        pytest.param("ctao.dpps:dl0_1.fits", "ctao.dpps:dl0_1.fits", id="Rucio"),
    ],
)
def test_the_canonical_alias_of(written: str, canonical: str | None) -> None:
    assert canonical_alias(written) == (canonical or "f69c1a88c8df4e89a78f1a34f30e3b20")


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("/fefs/aswg/DL1/a.h5", id="preferred"),
        pytest.param("/mnt/lst/DL1/a.h5", id="alias"),
        pytest.param("/lustre/fefs/aswg//DL1/a.h5", id="alias of its folder"),
        pytest.param("file:///mnt/lst/DL1/a.h5/", id="alias in a file URL"),
    ],
)
def test_every_spelling_leads_to_all_others(written: str) -> None:
    assert spellings(written, MOUNTS) == [
        "/fefs/aswg/DL1/a.h5",
        "/lustre/fefs/aswg/DL1/a.h5",
        "/mnt/lst/DL1/a.h5",
    ]


def test_a_prefix_is_whole_parts_of_a_path() -> None:
    assert spellings("/mnt/lst2/a.h5", MOUNTS) == ["/mnt/lst2/a.h5"]


def test_the_folder_of_an_alias_is_one_too() -> None:
    assert spellings("/mnt/lst/", MOUNTS)[0] == "/fefs/aswg"


def test_without_aliases_a_file_has_one_spelling() -> None:
    assert spellings("/fefs//a.h5") == ["/fefs/a.h5"]


def test_a_mount_point_below_another_one_is_its_own_alias() -> None:
    pairs = (("/mnt", "/a"), ("/mnt/lst", "/b"))

    assert spellings("/mnt/lst/x", pairs) == ["/b/x", "/mnt/lst/x"]
    assert spellings("/a/lst/x", pairs) == ["/a/lst/x"]


def test_an_alias_may_be_a_url() -> None:
    pairs = (("root://eos.cta.org/fefs", "/fefs"),)

    assert spellings("root://eos.cta.org//fefs/a.h5", pairs)[0] == "/fefs/a.h5"


@pytest.mark.parametrize(
    "pairs",
    [
        pytest.param((("/a", "/b"), ("/b", "/a")), id="circle"),
        pytest.param((("/a", "/a/b"),), id="into itself"),
        pytest.param((("/a/b", "/a"),), id="out of itself"),
        pytest.param((("/", "/b"),), id="root"),
    ],
)
def test_a_senseless_table_of_aliases_ends(pairs: tuple[tuple[str, str], ...]) -> None:
    found = spellings("/a/b/x", pairs)

    assert len(found) == len(set(found))
