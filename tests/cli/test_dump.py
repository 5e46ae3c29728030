# SPDX-License-Identifier: Apache-2.0
"""ttitrace dump and tests/mktrace are each other's inverse."""

import json
import pathlib
import random

SMALL = (pathlib.Path(__file__).resolve().parents[1] / "golden/text/small.txt").read_text()

STRANGE = """\
trace major=1 minor=9 level=7 features=0
process pid=1 host="a\\"b\\\\c\\n\\t\\x00\\xff"
record kind=60 bytes=00ff10
count counter=1 value=18446744073709551615 extra=0102
context fields=2 id=1 handle=0xffffffffffffffff
kernel id=1 parameters=[]
kernel id=2 parameters=[1,2,18446744073709551615]
block
block
host tid=3 codings=gap,delta,plain,keyed,plain,plain
\t1 2 3 4 5 6
\t18446744073709551615 0 0 0 0 18446744073709551615
gpu collected_ns=9 codings=plain,plain extra=00
\t1 2
\t3 4
raw bytes=ffffff
"""


def assert_same_bytes(ttitrace, mktrace, path):
    dumped = ttitrace("dump", path)
    assert dumped.stderr == ""
    assert mktrace(dumped.stdout, "again.ttt").read_bytes() == path.read_bytes()
    return dumped.stdout


def test_a_trace_comes_back_from_its_text(ttitrace, mktrace):
    assert_same_bytes(ttitrace, mktrace, mktrace(SMALL))


def test_strange_records_come_back(ttitrace, mktrace):
    text = assert_same_bytes(ttitrace, mktrace, mktrace(STRANGE))
    for line in STRANGE.splitlines():
        if line.startswith(("record", "raw", "\t1 2 3", "trace")):
            assert line in text.splitlines()


def test_large_random_batches_come_back(ttitrace, mktrace):
    random.seed(5)
    rows = "\n".join(
        "\t" + " ".join(str(random.getrandbits(random.choice([1, 8, 20, 64]))) for _ in range(6))
        for _ in range(5000)
    )
    for codings in ("", " codings=delta,gap,keyed,plain,delta,keyed"):
        assert_same_bytes(ttitrace, mktrace, mktrace(f"host tid=1{codings}\n{rows}\n"))


def test_the_text_is_stable(ttitrace, mktrace):
    text = ttitrace("dump", mktrace(SMALL)).stdout
    assert ttitrace("dump", mktrace(text)).stdout == text


def test_json_has_one_object_for_each_record(ttitrace, mktrace):
    done = ttitrace("dump", "--json", mktrace(SMALL))
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert records[0] == {"record": "trace", "major": 1, "minor": 1, "level": 3, "features": 0}
    assert records[1]["command"] == "python\0generate.py\0"
    host = next(r for r in records if r["record"] == "host")
    assert host["columns"]["correlation"] == [7, 8, 9, 10, 0, 11, 12]
    assert records[-1] == {"record": "finish", "reason": 1, "time_ns": 20100}


def test_json_takes_any_bytes(ttitrace, mktrace):
    done = ttitrace("dump", "--json", mktrace('string id=1 text="\\xff\\xc3\\xa4\\x00"\n'))
    assert json.loads(done.stdout.splitlines()[1])["text"] == "\ufffd\u00e4\0"
    done = ttitrace("dump", "--json", mktrace("string id=18446744073709551615\n"))
    assert json.loads(done.stdout.splitlines()[1])["id"] == "18446744073709551615"
