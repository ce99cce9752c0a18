"""The file of keys: what it may hold, and what happens when it changes under a running worker."""

import contextlib
import hashlib
import logging
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.worker.manual_clock import ManualSeconds
from tests.support.worker.mounted import Mounted
from ttsworker.http.access.keyfile import CHECK_SECONDS, MAX_FILE_BYTES, KeyFile
from ttsworker.http.access.keys import InvalidKeys, Key, digest_of, parse_keys

SECRET = "5f0d3b8e-a-long-and-random-one"
HASHED = hashlib.sha256(SECRET.encode()).hexdigest()


def test_hashed_and_plain_keys_with_comments_and_limits() -> None:
    content = f"""
    # who may speak
    alice sha256:{HASHED}
    bob   sha256:{"AB" * 32}  rate=0.5 burst=3   # a slow one
    carol plain#key-of-carol rate=0
    dave  another-key-of-dave concurrent=0 burst=7
    erin  a-third-key-of-erin concurrent=40

    """
    assert parse_keys(content.encode()) == (
        Key("alice", digest_of(SECRET.encode())),
        Key("bob", bytes.fromhex("ab" * 32), 0.5, 3),
        Key("carol", digest_of(b"plain#key-of-carol"), 0.0),
        Key("dave", digest_of(b"another-key-of-dave"), None, 7, 0),
        Key("erin", digest_of(b"a-third-key-of-erin"), concurrent=40),
    )


def test_the_documented_command_makes_the_hash() -> None:
    [command] = [line for line in Path("docs/running-the-worker.md").read_text().splitlines() if "sha256sum" in line]
    made = command.replace("$KEY", SECRET)
    output = subprocess.run(["sh", "-c", made], capture_output=True, text=True, check=True).stdout
    [key] = parse_keys(output.encode())
    assert key.digest == digest_of(SECRET.encode())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("alice", "it needs a name and a key"),
        ("al/ice KEY-KEY-KEY-KEY-KEY", "a name has up to 64"),
        (f"{'a' * 65} KEY-KEY-KEY-KEY-KEY", "a name has up to 64"),
        ("älice KEY-KEY-KEY-KEY-KEY", "a name has up to 64"),
        ("alice sha256:abcd", "needs 64 hexadecimal digits"),
        ("alice sha256:" + "zz" * 32, "needs 64 hexadecimal digits"),
        ("alice KEY-KEY-KEY-KEY-KEYé", "printable ASCII"),
        ("alice " + "K" * 513, "printable ASCII"),
        ("alice KEY-KEY-KEY-KEY-KEY rate", "only rate=N, burst=N and concurrent=N"),
        ("alice KEY-KEY-KEY-KEY-KEY speed=3", "only rate=N, burst=N and concurrent=N"),
        ("alice KEY-KEY-KEY-KEY-KEY rate=1 rate=2", "each once"),
        ("alice KEY-KEY-KEY-KEY-KEY rate=-1", "requests a second"),
        ("alice KEY-KEY-KEY-KEY-KEY rate=nan", "requests a second"),
        ("alice KEY-KEY-KEY-KEY-KEY rate=1e3", "requests a second"),
        ("alice KEY-KEY-KEY-KEY-KEY rate=0.0001", "0 for no limit, or 0.001"),
        ("alice KEY-KEY-KEY-KEY-KEY rate=100001", "0 for no limit, or 0.001"),
        ("alice KEY-KEY-KEY-KEY-KEY burst=0", "whole number"),
        ("alice KEY-KEY-KEY-KEY-KEY burst=1.5", "whole number"),
        ("alice KEY-KEY-KEY-KEY-KEY burst=9999999", "whole number"),
        ("alice KEY-KEY-KEY-KEY-KEY concurrent=-1", "whole number from 0"),
        ("alice KEY-KEY-KEY-KEY-KEY concurrent=100001", "whole number from 0"),
        ("alice KEY-KEY-KEY-KEY", "a key needs 16 characters or more: make one with openssl rand -hex 32"),
        ("alice KEY", "a key needs 16 characters or more"),
        ("alice KEY rate=0", "a key needs 16 characters or more"),
        ("bob OTHER-OTHER-OTHER", "bob has the same key as first"),
    ],
)
def test_a_wrong_line_is_named_without_its_key(line: str, message: str) -> None:
    with pytest.raises(InvalidKeys, match=rf"^line 3: .*{message}") as error:
        parse_keys(f"first OTHER-OTHER-OTHER\n\n{line}\n".encode())
    for part in ("KEY", "OTHER", "abcd", "zz"):
        assert part not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"# nobody\n\n", b"alice \xff\xfe\n"])
def test_a_file_that_lets_nobody_in_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidKeys):
        parse_keys(content)


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_no_content_is_too_strange(content: bytes) -> None:
    with contextlib.suppress(InvalidKeys):
        assert parse_keys(content)


def test_a_client_changes_from_one_key_to_another(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text("alice old-key-for-tests\nalice new-key-for-tests\nbob another-for-tests\n")
    keys = KeyFile(path)
    assert [
        key.name if (key := keys.find(one)) else None
        for one in (b"old-key-for-tests", b"new-key-for-tests", b"another-for-tests", b"")
    ] == [
        "alice",
        "alice",
        "bob",
        None,
    ]


def test_a_digest_is_no_key(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"alice sha256:{HASHED}\n")
    keys = KeyFile(path)
    assert keys.find(SECRET.encode())
    assert not keys.find(HASHED.encode())
    assert not keys.find(f"sha256:{HASHED}".encode())
    assert not keys.find(bytes.fromhex(HASHED))


def test_memory_holds_no_key(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"alice {SECRET}\n")
    keys = KeyFile(path)
    assert keys.find(SECRET.encode())
    assert SECRET not in repr(vars(keys))


def test_a_swapped_secret_is_read_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualSeconds(0.0)
    secret = Mounted(tmp_path, b"alice one-key-for-tests\n")
    keys = KeyFile(secret.path, clock)
    secret.swap(b"alice two-key-for-tests\n")  # as long as the first, and as old within the clock's grain
    assert keys.find(b"one-key-for-tests")  # it is not looked at yet
    clock.now += CHECK_SECONDS
    with caplog.at_level(logging.INFO):
        assert not keys.find(b"one-key-for-tests")
    assert keys.find(b"two-key-for-tests")
    assert [record.message for record in caplog.records] == ["keys read"]


def test_a_file_written_in_place_is_read_again(tmp_path: Path) -> None:
    clock = ManualSeconds(0.0)
    path = tmp_path / "keys"
    path.write_text("alice one-key-for-tests\n")
    keys = KeyFile(path, clock)
    path.write_text("alice one-key-for-tests\nbob two-key-for-tests\n")
    clock.now += CHECK_SECONDS
    assert keys.find(b"two-key-for-tests")


def test_a_wrong_new_version_leaves_the_old_keys_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualSeconds(0.0)
    secret = Mounted(tmp_path, b"alice one-key-for-tests\n")
    keys = KeyFile(secret.path, clock)

    def look(times: int = 3) -> None:
        for _ in range(times):
            clock.now += CHECK_SECONDS
            assert keys.find(b"one-key-for-tests")

    secret.swap(b"alice one-key-for-tests\nbob two-key-for-tests three\n")
    look()
    secret.swap(b"")
    look()
    secret.path.unlink()
    look()
    messages = [record.message for record in caplog.records]
    assert len(messages) == 3
    assert all(message.startswith("keeping the previous keys: ") for message in messages)
    assert "line 2" in messages[0]
    assert "contains no key" in messages[1]
    assert "cannot be read: No such file" in messages[2]
    assert not any("two" in message for message in messages)

    secret.path.symlink_to(Path("..data") / "keys")
    secret.swap(b"carol three-key-for-tests\n")
    clock.now += CHECK_SECONDS
    assert keys.find(b"three-key-for-tests")
    assert not keys.find(b"one-key-for-tests")


def test_a_file_that_is_lost_twice_is_told_twice(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualSeconds(0.0)
    path, away = tmp_path / "keys", tmp_path / "away"
    path.write_text("alice one-key-for-tests\n")
    keys = KeyFile(path, clock)
    for _ in range(2):
        path.rename(away)
        clock.now += CHECK_SECONDS
        assert keys.find(b"one-key-for-tests")
        away.rename(path)
        clock.now += CHECK_SECONDS
        assert keys.find(b"one-key-for-tests")
        clock.now += CHECK_SECONDS
        assert keys.find(b"one-key-for-tests")
    assert sum("cannot be read" in record.message for record in caplog.records) == 2


def test_what_cannot_be_used_at_the_start_is_told(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    with pytest.raises(InvalidKeys, match=r"keys cannot be read: No such file"):
        KeyFile(path)
    with pytest.raises(InvalidKeys, match="cannot be read: Is a directory"):
        KeyFile(tmp_path)
    path.write_text("alice\n")
    with pytest.raises(InvalidKeys, match=r"keys: line 1: it needs a name and a key"):
        KeyFile(path)
    path.write_bytes(b"#" * (MAX_FILE_BYTES + 1))
    with pytest.raises(InvalidKeys, match="has more than"):
        KeyFile(path)


@pytest.mark.parametrize("mode", [0o400, 0o440, 0o444, 0o600, 0o640, 0o644, 0o755])
def test_a_file_that_only_its_owner_may_write_is_read(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "keys"
    path.write_text(f"alice {SECRET}\n")
    path.chmod(mode)
    assert KeyFile(path).find(SECRET.encode())


@pytest.mark.parametrize("mode", [0o620, 0o622, 0o660, 0o664, 0o602, 0o666, 0o777, 0o446])
def test_a_file_that_others_may_write_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "keys"
    path.write_text(f"alice {SECRET}\n")
    path.chmod(mode)
    with pytest.raises(InvalidKeys, match=rf"keys: others may write it \(mode {mode:04o}\).*chmod go-w") as error:
        KeyFile(path)
    assert SECRET not in str(error.value)


def test_the_file_counts_and_not_the_links_of_a_mounted_secret(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A link has mode 0777, and the folder of a mounted Secret 1777."""
    clock = ManualSeconds(0.0)
    tmp_path.chmod(0o1777)
    secret = Mounted(tmp_path, b"alice one-key-for-tests\n")
    secret.path.resolve().chmod(0o444)
    keys = KeyFile(secret.path, clock)
    secret.path.resolve().chmod(0o646)
    clock.now += CHECK_SECONDS
    assert keys.find(b"one-key-for-tests")
    assert "keeping the previous keys" in caplog.text
    assert "others may write it" in caplog.text
