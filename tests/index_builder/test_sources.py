"""Sources list every picture once, in a fixed order, with label, caption and split; and say what they cannot read."""

from __future__ import annotations

import io
import os
import tarfile
import time
from pathlib import Path
from unittest.mock import Mock

import pytest

from index_builder.sources import listing_sha256, open_source
from index_builder.sources.base import check_unchanged
from sae_core.errors import ChangedError, PictureError, SourceError
from tests.support.pictures import encoded, make_folder, make_tar, picture


def write_tar(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


PNG = encoded(picture(0)[1])


def test_imagenets_layout_gives_split_and_label(tmp_path: Path) -> None:
    for key in ("train/n01440764/b.JPEG", "train/n01440764/a.JPEG", "val/n01443537/c.JPEG"):
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(PNG)
    source = open_source(str(tmp_path))
    assert source.keys == ["train/n01440764/a.JPEG", "train/n01440764/b.JPEG", "val/n01443537/c.JPEG"]
    assert [(raw.split, raw.label) for raw in map(source.read, range(3))] == [
        ("train", "n01440764"),
        ("train", "n01440764"),
        ("val", "n01443537"),
    ]


def test_a_flat_folder_has_no_labels_but_captions(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "a.txt").write_text(" a striped thing \n")
    (tmp_path / "b.png").write_bytes(PNG)
    source = open_source(str(tmp_path))
    assert [(raw.label, raw.caption) for raw in map(source.read, range(2))] == [(None, "a striped thing"), (None, None)]


def test_captions_as_other_systems_write_them(tmp_path: Path) -> None:
    for name, text in (("a", b"\xef\xbb\xbfmarked"), ("b", b"a caf\xe9"), ("c", b"\n")):
        (tmp_path / f"{name}.png").write_bytes(PNG)
        (tmp_path / f"{name}.TXT").write_bytes(text)
    (tmp_path / "d.png").write_bytes(PNG)
    (tmp_path / "d.txt").mkdir()
    source = open_source(str(tmp_path))
    assert [source.read(position).caption for position in range(4)] == ["marked", "a caf\ufffd", None, None]
    for text in (b"\xff\xfe" + "für".encode("utf-16-le"), b"\xfe\xff" + "für".encode("utf-16-be")):  # PowerShell's `>`
        (tmp_path / "a.txt").write_bytes(text)
        assert open_source(str(tmp_path)).read(0).caption == "für"
    (tmp_path / "a.txt").write_text("the other")
    assert open_source(str(tmp_path)).read(0).caption == "the other"


def test_another_caption_is_another_state(tmp_path: Path) -> None:
    make_folder(tmp_path, 3)
    (tmp_path / "notes.txt").write_text("of no picture")
    source = open_source(str(tmp_path))
    states = [source.state_sha256()]
    caption = (tmp_path / source.keys[1]).with_suffix(".txt")
    for text in ("a dog", "a horse"):
        caption.write_text(text)
        states.append(open_source(str(tmp_path)).state_sha256())
    caption.unlink()
    states.append(open_source(str(tmp_path)).state_sha256())
    (tmp_path / "notes.txt").write_text("of no picture, still")
    states.append(open_source(str(tmp_path)).state_sha256())
    assert len(set(states[:3])) == 3 and states[0] == states[3] == states[4]


def test_what_a_link_leads_to_is_part_of_the_state(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(PNG)
    (tmp_path / "pictures").mkdir()
    for name in ("blob", "nowhere"):
        (tmp_path / "pictures" / f"{name}.png").symlink_to(tmp_path / name)
    source = open_source(str(tmp_path / "pictures"))
    before = source.state_sha256()
    assert source.state_sha256() == before
    (tmp_path / "blob").write_bytes(PNG + b"more")
    assert source.state_sha256() != before


def test_other_files_and_hidden_ones_are_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "sparsight")
    for name in ("a.png", "notes.md", "._a.png", ".git/b.png", "labels.csv", "sub/c.PNG"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(PNG)
    (tmp_path / "a.txt").touch()
    assert open_source(str(tmp_path)).keys == ["a.png", "sub/c.PNG"]
    assert caplog.messages == [f"passed over in {tmp_path}: 1 .csv, 1 .md"], "neither captions nor hidden files"
    for name in ("b.heic", "sub/c.HEIC", "README", "x.\udcff", "1.csv", "1.pdf", "1.zip"):
        (tmp_path / name).touch()
    assert open_source(str(tmp_path)).keys == ["a.png", "sub/c.PNG"]
    said = "2 .csv, 2 .heic, 1 without an extension, 1 .md, 1 .pdf, 2 more types"
    convert = "(convert to JPEG: HEIC cannot be read here)"
    assert caplog.messages[1] == f"passed over in {tmp_path}: {said} {convert}"
    caplog.clear()
    make_folder(tmp_path / "pictures", 1)
    assert open_source(str(tmp_path / "pictures")).keys and not caplog.messages


def test_links_that_lead_back_up_end(tmp_path: Path) -> None:
    make_folder(tmp_path / "pictures", 3)
    (tmp_path / "pictures" / "loop").symlink_to(tmp_path / "pictures")
    assert len(open_source(str(tmp_path / "pictures")).keys) == 3


def test_a_picture_has_the_path_of_the_folder_that_it_lies_in(tmp_path: Path) -> None:
    (tmp_path / "zebra" / "a").mkdir(parents=True)
    (tmp_path / "zebra" / "a" / "x.png").write_bytes(PNG)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "y.png").write_bytes(PNG)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "zebra").rename(tmp_path / "pictures" / "zebra")
    (tmp_path / "pictures" / "alias").symlink_to("zebra")
    (tmp_path / "pictures" / "linked").symlink_to(tmp_path / "elsewhere")
    source = open_source(str(tmp_path / "pictures"))
    assert source.keys == ["linked/y.png", "zebra/a/x.png"]
    assert [source.read(position).label for position in (0, 1)] == ["linked", "zebra"]


def test_a_folder_of_nothing_but_heic_says_what_to_do(tmp_path: Path) -> None:
    for name in ("a.heic", "b.HEIC", "c.heif"):
        (tmp_path / name).touch()
    with pytest.raises(SourceError, match=r"2 \.heic, 1 \.heif \(convert to JPEG: HEIC cannot be read here\)"):
        open_source(str(tmp_path))


def test_hidden_tars_and_parquet_files_are_passed_over(tmp_path: Path) -> None:
    make_tar(tmp_path / "a.tar", 2)
    (tmp_path / "._a.tar").write_bytes(b"macOS")
    assert len(open_source(str(tmp_path)).keys) == 2
    (tmp_path / "pictures" / ".cache").mkdir(parents=True)
    (tmp_path / "pictures" / ".cache" / "meta.parquet").touch()
    (tmp_path / "pictures" / "a.png").write_bytes(PNG)
    assert open_source(str(tmp_path / "pictures")).keys == ["a.png"]


def test_names_that_are_no_utf8_are_listed_and_read(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/caf\xe9.png", "wb") as file:
        file.write(PNG)
    source = open_source(str(tmp_path))
    assert source.keys == ["caf\\xe9.png"]
    assert source.read(0).data == PNG


def test_a_source_whose_name_is_no_utf8_has_a_name(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/t\xff"))
    folder.mkdir()
    tars = [make_tar(folder / os.fsdecode(name), 2) for name in (b"a\xff.tar", b"b.tar")]
    for named in ([folder], [folder / "*.tar"], tars):
        source = open_source(*map(str, named))
        assert source.name == "t\\xff" and len(source.keys) == 4
        assert source.state_sha256() == open_source(str(folder)).state_sha256()
    assert open_source(str(tars[0])).name == "a\\xff.tar"


def test_a_file_that_vanishes_is_a_sentence(tmp_path: Path) -> None:
    source = open_source(str(make_folder(tmp_path, 2)))
    (tmp_path / source.keys[0]).unlink()
    with pytest.raises(PictureError, match="cannot be read"):
        source.read(0)


def test_webdataset_samples_with_their_metadata(tmp_path: Path) -> None:
    tar = write_tar(
        tmp_path / "a.tar",
        {
            "dir/one.jpg": PNG,
            "dir/one.json": b'{"label": "fruit", "caption": "a lemon", "split": "val"}',
            "two.png": PNG,
            "two.txt": b"a lime",
            "two.cls": b"7",
            "three.seg.png": PNG,  # an extension of its own, by WebDataset's rule: no picture of this sample
            "four.json": b"{}",
            "five.png": PNG,
            "five.json": b"not json",
        },
    )
    source = open_source(str(tar))
    assert list(source.keys) == ["a.tar/dir/one", "a.tar/two", "a.tar/three", "a.tar/four", "a.tar/five"]
    one, two = source.read(0), source.read(1)
    assert (one.data, one.label, one.caption, one.split) == (PNG, "fruit", "a lemon", "val")
    assert (two.label, two.caption) == ("7", "a lime")
    for position, reason in ((2, "no-picture"), (3, "no-picture"), (4, "bad-metadata")):
        with pytest.raises(PictureError) as caught:
            source.read(position)
        assert caught.value.reason == reason
        assert ("first dot ends its key" in str(caught.value)) == (position == 2)


def test_a_json_that_leaves_the_label_open_leaves_it_to_others(tmp_path: Path) -> None:
    members = {"./a.png": PNG, "./a.json": b'{"label": null, "text": "striped"}', "./a.cls": b"9", "b.png": PNG}
    members |= {"b.json": b'{"label": 0}', "b.cls": b"9"}
    source = open_source(str(write_tar(tmp_path / "x.tar", members)))
    assert source.keys == ["x.tar/a", "x.tar/b"]
    first, second = source.read(0), source.read(1)
    assert (first.label, first.caption, second.label) == ("9", "striped", "0")


def test_of_several_captions_in_a_json_the_first_is_taken(tmp_path: Path) -> None:
    facts = b'{"caption": ["", "a lemon", "a fruit"], "label": [3, 4], "class": "fruit", "split": {"id": 1}}'
    source = open_source(str(write_tar(tmp_path / "x.tar", {"a.png": PNG, "a.json": facts})))
    found = source.read(0)
    assert (found.caption, found.label, found.split) == ("a lemon", "fruit", None)


def test_several_tars_by_pattern_and_by_folder(tmp_path: Path) -> None:
    for number in range(3):
        make_tar(tmp_path / f"{number}.tar", 2)
    by_pattern, by_folder = open_source(str(tmp_path / "*.tar")), open_source(str(tmp_path))
    assert list(by_pattern.keys) == list(by_folder.keys)
    assert by_pattern.keys[2] == "1.tar/00000"
    assert by_pattern.kind == "webdataset" and len(by_pattern.keys) == 6


def test_several_files_are_what_their_pattern_finds(tmp_path: Path) -> None:
    for number in range(3):
        make_tar(tmp_path / f"{number}.tar", 2)
    a, b, c = (str(tmp_path / f"{number}.tar") for number in range(3))
    pattern = open_source(str(tmp_path / "*.tar"))
    for named in ((c, a, b), (a, a, b, c), (str(tmp_path / "[01].tar"), c)):
        several = open_source(*named)
        assert (several.keys, several.name, several.kind) == (pattern.keys, pattern.name, pattern.kind)
        assert several.state_sha256() == pattern.state_sha256()
    (tmp_path / "a.PNG").write_bytes(PNG)
    (tmp_path / "b.txt").touch()
    for named, said in (
        ((a, str(tmp_path)), "takes one folder or data set, or several files, and .* is one of several"),
        (("hf://a/b", a), "takes one folder or data set"),
        ((a, str(tmp_path / "x.tar")), "no tar and no Parquet file at .*x.tar"),
        ((str(tmp_path / "a.PNG"), str(tmp_path / "b.txt")), "is a picture: name the folder"),
        ((str(tmp_path / "b.txt"), str(tmp_path / "b.txt")), "b.txt and 1 more is neither"),
        ((str(tmp_path / "a.PNG"),), "is a picture: name the folder"),
        ((), "--images names nothing"),
        (("",), "--images names nothing"),
    ):
        with pytest.raises(SourceError, match=said):
            open_source(*named)


def test_tars_in_folders_of_their_own(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    (tmp_path / "a" / "b").mkdir(parents=True)
    make_tar(tmp_path / "a" / "0.tar", 2)
    make_tar(tmp_path / "a" / "b" / "1.TAR", 2)
    (tmp_path / "a" / "0.parquet").touch()
    (tmp_path / "a" / "0.json").touch()
    assert open_source(str(tmp_path)).keys == [f"{tar}/0000{n}" for tar in ("0.tar", "b/1.TAR") for n in (0, 1)]
    assert caplog.messages == [f"passed over in {tmp_path}: 1 .json, 1 .parquet"]
    caplog.clear()
    (tmp_path / "a" / "x.png").write_bytes(PNG)
    (tmp_path / "a" / "0.parquet").unlink()
    assert open_source(str(tmp_path)).keys == ["a/x.png"], "a tar below pictures may be anything"
    assert caplog.messages == [f"passed over in {tmp_path}: 2 .tar, 1 .json"]


def test_a_tar_that_changes_after_it_was_listed(tmp_path: Path) -> None:
    tar = make_tar(tmp_path / "a.tar", 3)
    source = open_source(str(tar))
    assert source.read(0).label == "red things"
    data = tar.read_bytes()
    for other in (data[:9_000], data[:600] + b"x" + data[601:]):  # another size, another time
        tar.write_bytes(other)
        with pytest.raises(ChangedError, match=r"a\.tar has changed since it was listed"):
            source.read(0)


def test_the_file_that_changed_is_named(tmp_path: Path) -> None:
    source = open_source(str(make_folder(tmp_path / "pictures", 3)))
    state = source.state_sha256()
    check_unchanged(source, state)
    changed = tmp_path / "pictures" / source.keys[1]
    time.sleep(0.05)  # more than the file system's clock ticks in
    changed.touch()
    with pytest.raises(ChangedError, match=f"{changed} has changed"):
        check_unchanged(source, state)
    changed.unlink()
    with pytest.raises(ChangedError, match=f"{changed} has changed"):
        check_unchanged(source, state)


def test_a_cut_tar_is_refused_when_listed(tmp_path: Path) -> None:
    tar = make_tar(tmp_path / "a.tar", 3)
    os.truncate(tar, 9_000)
    with pytest.raises(SourceError, match="no whole tar"):
        open_source(str(tar))


def test_a_tar_that_is_packed_or_may_not_be_read_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in ("gz", "bz2", "xz"):
        with tarfile.open(tmp_path / "a.tar", f"w:{kind}") as tar:  # type: ignore[call-overload]
            tar.addfile(tarfile.TarInfo("a.png"))
        with pytest.raises(SourceError, match=r"a\.tar is compressed, .*: unpack it$"):
            open_source(str(tmp_path / "a.tar"))
    tar = make_tar(tmp_path / "a.tar", 1)
    os.truncate(tar, 700)
    with pytest.raises(SourceError, match=r"no whole tar \(.*\): fetch or write it again, or leave it out$"):
        open_source(str(tar))
    monkeypatch.setattr("tarfile.open", Mock(side_effect=PermissionError(13, "Permission denied")))
    with pytest.raises(SourceError, match=r"a\.tar cannot be read: Permission denied$"):
        open_source(str(tar))


@pytest.mark.parametrize("damage", ["a flipped bit in a header", "cut between members", "another tar behind"])
def test_damage_that_tarfile_passes_over_is_refused(tmp_path: Path, damage: str) -> None:
    tar = make_tar(tmp_path / "a.tar", 6)
    data = bytearray(tar.read_bytes())
    third = open_source(str(tar)).samples[3].members[0].offset - 512  # type: ignore[attr-defined]
    if damage == "another tar behind":
        data = data + data
    elif damage == "cut between members":
        del data[third:]
    else:
        data[third + 5] ^= 1
    tar.write_bytes(data)
    with pytest.raises(SourceError, match="no whole tar"):
        open_source(str(tar))


def test_keys_that_are_there_twice(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        make_tar(tmp_path / folder / "0.tar", 2)
    assert list(open_source(str(tmp_path / "*" / "0.tar")).keys) == [f"{f}/0.tar/0000{n}" for f in "ab" for n in (0, 1)]
    source = open_source(str(write_tar(tmp_path / "c.tar", {"x.png": PNG, "x.jpg": PNG})))
    with pytest.raises(PictureError, match="several pictures"):
        source.read(0)


@pytest.mark.parametrize("kind", [tarfile.LNKTYPE, tarfile.SYMTYPE])
def test_links_in_a_tar_are_refused(tmp_path: Path, kind: bytes) -> None:
    path = write_tar(tmp_path / "a.tar", {"b.png": PNG})
    with tarfile.open(path, "a") as tar:
        info = tarfile.TarInfo("a.png")
        info.type, info.linkname = kind, "b.png"
        tar.addfile(info)
    with pytest.raises(SourceError, match="links or sparse"):
        open_source(str(path))


def test_a_file_larger_than_any_picture_is_not_read(tmp_path: Path) -> None:
    n_bytes = (1 << 30) + 512  # a hole: it takes no disk
    (tmp_path / "pictures").mkdir()
    with open(tmp_path / "pictures" / "a.png", "wb") as file:
        file.truncate(n_bytes)
    with open(tmp_path / "a.tar", "wb") as file:
        info = tarfile.TarInfo("a.png")
        info.size = n_bytes
        file.write(info.tobuf())
        file.truncate(n_bytes + 3 * 512)
    for source in (open_source(str(tmp_path / "pictures")), open_source(str(tmp_path / "a.tar"))):
        with pytest.raises(PictureError, match=f"the file has {n_bytes:,} bytes") as caught:
            source.read(0)
        assert caught.value.reason == "too-large"


def test_a_folder_of_both_kinds_is_refused(tmp_path: Path) -> None:
    make_tar(tmp_path / "a.tar", 2)
    (tmp_path / "preview.png").write_bytes(PNG)
    with pytest.raises(SourceError, match="both pictures and tars"):
        open_source(str(tmp_path))


def test_metadata_that_nests_too_deep(tmp_path: Path) -> None:
    source = open_source(str(write_tar(tmp_path / "a.tar", {"x.png": PNG, "x.json": b"[" * 200_000})))
    with pytest.raises(PictureError, match=r"\.json cannot be read"):
        source.read(0)


def test_what_is_no_source_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.tar.gz").write_bytes(b"x")
    (tmp_path / "packed").mkdir()
    for name in ("a.tar.gz", "b.tar.gz", "c.zip"):
        (tmp_path / "packed" / name).touch()
    (tmp_path / "a.tar").write_bytes(b"no tar at all" * 100)
    for path, said in (
        ("gone", "no folder, no tar and no Parquet file"),
        ("empty", "holds no pictures"),
        ("{0..9}.tar", r"at .*\{0..9}.tar \(braces are for the shell: leave out the quotes, or write \* for them\)$"),
        ("packed", r"holds no pictures \(files .*\), but 2 \.gz, 1 \.zip$"),
        ("a.tar.gz", "unpack it"),
        ("a.tar", "no whole tar"),
    ):
        with pytest.raises(SourceError, match=said):
            open_source(str(tmp_path / path))


def test_a_listing_hash_sees_order_and_names() -> None:
    assert listing_sha256(["a", "b"]) == listing_sha256(["a", "b"])
    assert len({listing_sha256(keys) for keys in (["a", "b"], ["b", "a"], ["ab"], ["a", "b", "c"])}) == 4


def test_a_header_that_leads_back_is_refused(tmp_path: Path) -> None:
    tar = make_tar(tmp_path / "a.tar", 2)
    data = bytearray(tar.read_bytes())
    data[124:136] = b"\xff" * 11 + b"\x00"  # a size of -256, in base 256: the next header would be this one again
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    tar.write_bytes(data)
    with pytest.raises(SourceError, match="leads back"):
        open_source(str(tar))


@pytest.mark.parametrize("header", ["GNU.sparse.size=1,2", "size=-1", "GNU.sparse.map=0,x"])
def test_a_pax_header_of_no_sense_is_refused(tmp_path: Path, header: str) -> None:
    key, value = header.split("=")
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("a.png")
        info.pax_headers = {key: value}
        tar.addfile(info)
    with pytest.raises(SourceError, match="no whole tar"):
        open_source(str(tmp_path / "a.tar"))
