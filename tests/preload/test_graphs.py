# SPDX-License-Identifier: Apache-2.0
"""Device records of graph nodes name the graph launch and the launch that created the node."""

import collections

import traced

REPLAYS = 40


def origins(trace):
    return {n["node"]: n["origin"] for n in trace.records["graph_node"]}


def test_every_replayed_node_points_to_the_launch_that_created_it(run):
    r = run("graphs", REPLAYS)
    assert r.exit_code == 0, r.stderr
    trace = r.trace
    origin = origins(trace)
    creators = {row.node: row for row in trace.host() if row.node}
    runs = [x for x in trace.kernels_run() if x.node]
    assert len(runs) == r.seen["node_runs"] == 3 * 5 * REPLAYS
    for record in runs:
        node = record.node
        while origin.get(node):
            node = origin[node]
        creator = creators[node]
        # The grid names graph and node.
        assert traced.shape(creator.template) == traced.shape(record.template)


def test_every_replayed_node_points_to_its_graph_launch(run):
    trace = run("graphs", REPLAYS).trace
    launches = {x.correlation for x in trace.host() if x.template["op"] == traced.GRAPH_LAUNCH}
    assert len(launches) == 3 * REPLAYS
    nodes = collections.Counter(x.correlation for x in trace.kernels_run() if x.node)
    assert nodes == {correlation: 5 for correlation in launches}


def test_captured_launches_and_nodes_made_by_hand_ran_nothing_themselves(run):
    r = run("graphs", REPLAYS)
    c = traced.coverage(r.traces[0])
    assert c["launches"] == 0
    assert c["captured"] == r.seen["captured"] + r.seen["nodes_added"] == 15
    assert c["graph_launches"] == 3 * REPLAYS
    assert c["node_records"] == c["kernel_records"] == 15 * REPLAYS
    assert c["complete"]


def test_a_capture_in_global_mode_is_not_disturbed(run):
    r = run("graphs", 2, TTITRACE_FLUSH_MS=10)
    assert r.exit_code == 0, r.stderr
    assert r.seen["unsafe_in_capture"] == 0


def test_graph_launches_are_told_apart_though_handles_come_back(run):
    trace = run("graphs", REPLAYS).trace
    execs = {
        x.template["graph"] for x in trace.host() if x.template["op"] == traced.GRAPH_LAUNCH
    }
    assert len(execs) == 3
