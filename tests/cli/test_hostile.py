# SPDX-License-Identifier: Apache-2.0
"""Small files that would like to cost much: each is read in bounded time and memory."""

import json
import os
import resource
import struct
import subprocess

import pytest

HEAD = "process pid=1\nblock\n"
COMMANDS = [["report", "--json"], ["check"], ["dump"]]
SECONDS = 60
MEGABYTES = 700


@pytest.fixture
def within(binary, tmp_path):
    """within(command, path): the exit code, where time and memory are limited."""

    def limit():
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))

    def run(command, path):
        process = subprocess.Popen(
            [binary("ttitrace"), *command, str(path)],
            cwd=tmp_path,
            # What has been freed is not the reader's: a sanitizer keeps a quarter of a gigabyte of it.
            env={**os.environ, "ASAN_OPTIONS": "quarantine_size_mb=16"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            preexec_fn=limit,
        )
        errors = process.stderr.read().decode()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = 0
        assert status >= 0 and not status & 0x7F, f"signal {status & 0x7F}: {errors}"
        assert used.ru_maxrss / 1024 < MEGABYTES, errors
        assert "AddressSanitizer" not in errors
        return status >> 8

    return run


def varint(n):
    out = b""
    while n >= 128:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def many(line, n):
    return "\n".join(line.format(i=i, next=i + 1) for i in range(1, n + 1)) + "\n"



HOSTILE = {
    # A frame that decompresses to all that a frame may hold: ever the same record.
    "a bomb of counts": HEAD + many("count counter=1 value={i}", 200000),
    "a bomb of zeros": HEAD + f"record kind=200 bytes={'00' * (1 << 20)}\n" * 4,
    "ids far apart": HEAD + "".join(f'string id={i * (1 << 40) + 7} text="x"\n' for i in range(50000)),
    "the largest ids": HEAD + "".join(f'string id={2**64 - 1 - i} text="x"\n' for i in range(1000)),
    "nodes cloned in a ring": HEAD + many("graph_node node={i} origin={next}", 100000)
    + "graph_node node=100001 origin=1\n",
    "a node cloned from itself": HEAD + "graph_node node=1 origin=1\n",
    "a counter of the future": HEAD + "count counter=18446744073709551615 value=1\n",
    "a context without end": HEAD + many("context id={i} device=18446744073709551615", 1000),
    "devices without number": HEAD + many("device ordinal={i} name=\"x\"", 5000),
    "threads without number": HEAD + many("thread tid={i} name=\"x\"", 100000),
    "a long name": HEAD + f'string id=1 text="{"_ZN" + "1a" * 200000}"\n',
    "a mangled bomb": HEAD
    + 'string id=1 text="_Z1f'
    + "I" * 3000
    + "S_" * 3000
    + '"\nkernel id=1 name=1\n',
    "redefinitions": HEAD + 'string id=1 text="x"\n' * 100000,
}


@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c[0])
def test_it_costs_little(within, mktrace, what, command):
    assert within(command, mktrace(HOSTILE[what])) in (0, 1)


def raw(kind, payload):
    return f"record kind={kind} bytes={payload.hex()}\n"


# Counts that the bytes behind them cannot hold.
OVERLONG = {
    "a string of 2^63 bytes": raw(4, varint(1) + varint(1 << 63)),
    "a list of 2^40 numbers": raw(5, varint(1) * 9 + varint(1 << 40)),
    "a batch of 2^32 rows": raw(32, varint(1) + varint(1 << 32) + b"\0" * 20),
    "a batch of 2^63 columns": raw(33, varint(1) + varint(1) + varint(1 << 63)),
    "a number of ten bytes": raw(1, b"\xff" * 9 + b"\x01"),
    "a number that does not end": raw(1, b"\xff" * 40),
}


@pytest.mark.parametrize("what", OVERLONG)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c[0])
def test_counts_are_not_believed(within, mktrace, what, command):
    assert within(command, mktrace(HEAD + OVERLONG[what])) in (0, 1)


@pytest.mark.parametrize("what", OVERLONG)
def test_check_says_that_they_are_wrong(ttitrace, mktrace, what):
    check = json.loads(ttitrace("check", "--json", mktrace(HEAD + OVERLONG[what])).stdout)
    assert check["problems"]


def damage_of(ttitrace, path):
    check = json.loads(ttitrace("check", "--json", path).stdout)
    return check["damaged_bytes"] + check["cut_bytes"]


def test_a_frame_that_claims_more_than_there_may_be_is_damage(within, ttitrace, mktrace):
    path = mktrace(HEAD)
    # A raw zstd frame with a content size of 2^62 and an empty last block.
    frame = struct.pack("<I", 0xFD2FB528) + bytes([0xE0]) + struct.pack("<Q", 1 << 62) + b"\x01\0\0"
    path.write_bytes(path.read_bytes() + frame)
    assert within(["check"], path) == 1
    assert damage_of(ttitrace, path) == len(frame)


def test_a_decompression_bomb_is_damage(within, ttitrace, mktrace):
    path = mktrace(HEAD)
    done = subprocess.run(
        ["zstd", "-q", "-c", "-3", "--no-content-size"], input=b"\0" * (1 << 26), capture_output=True
    )
    if done.returncode:
        pytest.skip("no zstd")
    path.write_bytes(path.read_bytes() + done.stdout)
    assert within(["check"], path) == 1
    assert damage_of(ttitrace, path) == len(done.stdout)
