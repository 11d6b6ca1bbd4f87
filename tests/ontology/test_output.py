"""The one writer, and the one way from names to paths."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from nosograph.errors import NosographError
from nosograph.ontology.output import Drafts, explain_os_errors, join_path, write_text, write_whole


def test_a_file_is_written_whole_or_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "first: Å")
    assert path.read_bytes() == "first: Å".encode()

    def fail(draft: Path) -> None:
        draft.write_text("half")
        assert draft.parent == tmp_path
        raise KeyError

    with pytest.raises(KeyError):
        write_whole(path, fail)
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]
    assert path.read_bytes() == "first: Å".encode()


def test_files_appear_together_or_not_at_all(tmp_path: Path) -> None:
    def fail() -> None:
        with Drafts(tmp_path, aside=tmp_path / "aside") as files:
            files.write_bytes("a", "1.txt", content=b"1")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert list(tmp_path.iterdir()) == []
    with Drafts(tmp_path, aside=tmp_path / "aside") as files:
        files.write_bytes("a", "1.txt", content=b"1")
        files.write_bytes("b", "1.txt", content=b"2")
        assert [path.name for path in tmp_path.iterdir()] == ["aside"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
    assert (tmp_path / "b" / "1.txt").read_bytes() == b"2"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "quota"),
        (errno.EACCES, "no permission"),
        (errno.EROFS, "read-only"),
        (errno.EIO, os.strerror(errno.EIO)),
    ],
)
def test_what_the_disk_refuses_is_explained(tmp_path: Path, code: int, words: str) -> None:
    def refuse(draft: Path) -> None:
        raise OSError(code, os.strerror(code), str(draft))

    with pytest.raises(NosographError, match=f"cannot be written: .*{words}") as caught:
        write_whole(tmp_path / "a.txt", refuse)
    assert caught.value.problems[0].value == str(tmp_path / "a.txt")
    assert caught.value.problems[0].fix


def test_a_folder_that_is_not_there_and_a_file_that_is_missing_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(NosographError, match="there is no such folder"):
        write_text(tmp_path / "nowhere" / "a.txt", "")
    with pytest.raises(NosographError, match="a file is missing"), explain_os_errors(tmp_path, what="folder"):
        (tmp_path / "lost.txt").read_bytes()
    with pytest.raises(NosographError, match="a folder has this name"):
        write_text(tmp_path, "")
    with pytest.raises(NosographError, match="too long"):
        write_text(tmp_path / ("a" * 300), "")


@pytest.mark.parametrize("name", ["..", ".", "", "/abs", "../../x", "a/b", "a\\b", "a\0b"])
def test_no_name_leaves_its_folder(tmp_path: Path, name: str) -> None:
    for names in ((name,), ("fine", name), (name, "fine")):
        with pytest.raises(NosographError, match="the name cannot be"):
            join_path(tmp_path, *names)
        with pytest.raises(NosographError), Drafts(tmp_path, aside=tmp_path / "aside") as files:
            files.write_bytes(*names, content=b"")
    assert list(tmp_path.iterdir()) == []


def test_no_link_leads_out_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    (folder / "inner").mkdir(parents=True)
    (folder / "out").symlink_to(tmp_path)
    (folder / "alias").symlink_to(folder / "inner")
    with pytest.raises(NosographError, match="a link leads out"):
        join_path(folder, "out", "x.txt")
    assert join_path(folder, "alias", "x.txt") == folder / "alias" / "x.txt"
    (tmp_path / "link").symlink_to(folder)
    assert join_path(tmp_path / "link", "inner", "…y z") == tmp_path / "link" / "inner" / "…y z"
