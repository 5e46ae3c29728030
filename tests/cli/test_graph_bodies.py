# SPDX-License-Identifier: Apache-2.0
"""Kernels in loops and branches of CUDA graphs: CUPTI gives their records no number."""

import json

TRACE = """trace
process pid=1 begin_ns=1 command="p\\x00"
string id=1 text="cuGraphLaunch"
string id=2 text="body"
context id=1 handle=1 device=0 cupti=1
graph_exec id=1 cupti=3 handle=1
template id=1 op=2 api=1 context=1 graph=1
device_template id=1 activity=1 name=2 context=1 grid_x=1 grid_y=1 grid_z=1 block_x=1 block_y=1 block_z=1 graph=GRAPH
host tid=1
\t1 10 1000 5 0 0
\t1 10 2000 6 0 0
gpu collected_ns=9000
\t1 5 1100 0 12884901889
\t1 5 1200 0 12884901889
\t1 5 2100 0 12884901889
count counter=4 value=2
count counter=7 value=3
count counter=9 value=3
finish reason=1 time_ns=10000
"""


def coverage(ttitrace, mktrace, graph):
    done = ttitrace("report", "--json", mktrace(TRACE.replace("GRAPH", str(graph))).name)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["coverage"]


def test_they_are_told_by_their_graph(ttitrace, mktrace):
    c = coverage(ttitrace, mktrace, 3)
    assert (c["records_of_bodies"], c["records_without_launch"]) == (3, 0)
    assert c["graph_launches_without_record"] == 0
    assert c["complete"]
    done = ttitrace("report", "t.ttt")
    assert "3 of them in loops and branches of graphs" in done.stdout


def test_of_a_graph_that_nobody_launched_they_are_lost(ttitrace, mktrace):
    c = coverage(ttitrace, mktrace, 4)
    assert (c["records_of_bodies"], c["records_without_launch"]) == (0, 3)
    assert c["graph_launches_without_record"] == 2
    assert not c["complete"]
