"""A text of one's own: what is taken as it is, what is taken out and said, and what is refused."""

import os

import pytest

from bardgpt import text_file
from bardgpt.text_file import TextFileError, read_text


@pytest.fixture
def file(tmp_path):
    """A file with some bytes."""

    def write(data: bytes):
        path = tmp_path / "a text.txt"
        path.write_bytes(data)
        return path

    return write


@pytest.mark.parametrize(
    "text",
    [
        "one line without an end",
        "two\nlines\n",
        "a\tb\n\n\n",
        "emoji 🎭 and a family 👩‍👩‍👧\n",
        "שלום עולם\n",
        "\N{FORM FEED}\N{LINE SEPARATOR}\N{NEXT LINE}",  # no line ends of ours
        " ",
    ],
)
def test_a_text_is_taken_as_it_is(file, text):
    taken = read_text(file(text.encode("utf-8")))
    assert (taken.text, taken.remarks) == (text, ())
    assert taken.path.is_absolute()


def test_marks_and_line_ends_are_taken_out_and_said(file):
    taken = read_text(file("\ufeffone\r\ntwo\rthree\n\ufeff".encode()))
    assert taken.text == "one\ntwo\nthree\n\ufeff"  # a mark elsewhere is a character
    assert taken.remarks == (
        "the byte order mark in front was left out",
        r"2 line ends of Windows or old Macs became \n",
    )


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty; name a file with a text in it"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"good\nand b\xe4d", "is not UTF-8: byte 0xe4 in line 2; convert it, .*-f latin1 -t utf"),
        (b"\xff\xfeh\x00i\x00", "is in UTF-16; convert it, .*`iconv -f utf-16 -t utf-8`"),
        (b"\xff\xfe\x00\x00h\x00\x00\x00", "is in UTF-32"),
        (b"\xc3", "is not UTF-8: byte 0xc3 in line 1"),
        (b"\xed\xa0\x80", "is not UTF-8: byte 0xed"),  # half of a surrogate pair
        (b"ELF\x00\x01", "is no text: it holds a NUL character, at position 3"),
    ],
)
def test_no_text_is_refused(file, data, says):
    path = file(data)
    with pytest.raises(TextFileError, match=says) as error:
        read_text(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    assert path.read_bytes() == data


def test_what_is_no_file_is_not_opened(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"12345")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    monkeypatch.setattr(text_file, "MOST_BYTES", 4)
    for path, says in {
        tmp_path: "is a folder; name a text file in it",
        tmp_path / "pipe": "is a pipe or a device",
        "/dev/null": "is a pipe or a device",
        tmp_path / "nowhere": "does not exist; check the path",
        tmp_path / "dangling": "does not exist",
        tmp_path / "file" / "below": "does not exist",
        tmp_path / "file": "has 5 bytes; at most 4 are read",
        "a\0b": "is no path",
        "x" * 5_000: "cannot be read",
    }.items():
        with pytest.raises(TextFileError, match=says):
            read_text(path)


def test_home_is_expanded(file, monkeypatch, tmp_path):
    file(b"here")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert read_text("~/a text.txt").text == "here"
    with pytest.raises(TextFileError, match="does not exist"):
        read_text("~nobody-of-this-name/a text.txt")


def test_unreadable_file(file, monkeypatch):
    path = file(b"secret")

    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(text_file.Path, "read_bytes", refuse)
    with pytest.raises(TextFileError, match=r"cannot be read \(Permission denied\)"):
        read_text(path)
