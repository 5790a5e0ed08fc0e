"""A folder and the zip of it read the same, and neither lets a name lead out."""

from __future__ import annotations

import pytest

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.bundle import open_bundle
from tests.zoo_packages import sha256, write_folder, write_zip

FILES = {"a.txt": b"alpha", "sub/b.bin": bytes(range(256))}


@pytest.fixture(params=["folder", "zip", "zip in a folder"])
def bundle(request, tmp_path):
    if request.param == "folder":
        return open_bundle(write_folder(tmp_path / "in", FILES))
    nested = "top/" if request.param != "zip" else ""
    return open_bundle(write_zip(tmp_path / "in.zip", {nested + name: content for name, content in FILES.items()}))


def test_files_are_read_by_name(bundle, tmp_path):
    assert bundle.has("a.txt")
    assert not bundle.has("b.txt")
    assert bundle.size("sub/b.bin") == 256
    assert bundle.read("./sub/b.bin", most=256) == FILES["sub/b.bin"]
    assert bundle.sha256("a.txt") == sha256(b"alpha")
    bundle.copy("a.txt", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"alpha"


def test_what_is_not_there_or_too_large_or_outside(bundle, tmp_path):
    (tmp_path / "secret").write_text("secret")
    refused = {"b.txt": "missing", "../secret": "leaves", "https://a.org/b": "on the net", "sub": "missing"}
    for name, words in refused.items():
        with pytest.raises(FileProblem, match=words):
            bundle.read(name, most=100)
    with pytest.raises(FileProblem, match="Too large"):
        bundle.read("sub/b.bin", most=255)
    with pytest.raises(FileProblem):
        bundle.copy("a.txt", tmp_path / "secret")
    assert (tmp_path / "secret").read_text() == "secret"


def test_a_link_in_a_folder_is_refused(tmp_path):
    (tmp_path / "secret").write_text("secret")
    folder = write_folder(tmp_path / "in", FILES)
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "linked").symlink_to(tmp_path)
    for name in ("link", "linked/secret"):
        with pytest.raises(FileProblem, match="A link"):
            open_bundle(folder).read(name, most=100)


def test_neither_folder_nor_zip(tmp_path):
    (tmp_path / "text").write_text("text")
    with pytest.raises(FileProblem, match="Neither"):
        open_bundle(tmp_path / "text")
    with pytest.raises(FileProblem, match="No such file"):
        open_bundle(tmp_path / "nothing")
