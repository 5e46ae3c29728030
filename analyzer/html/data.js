/* SPDX-License-Identifier: Apache-2.0 */
/*
 * data.js - the document, and sums over the rows of its cube.
 *
 * Every figure of every view is a sum of rows under the filters, so that views agree with each other
 * and with `ttitrace report`.  Nothing here or elsewhere makes markup out of the document's text.
 */
"use strict";

T.data = (() => {
	const d = JSON.parse(document.getElementById("data").textContent);
	const rows = d.rows, entries = d.entries, nodes = d.nodes;
	const nrRows = rows.time.length, nrNodes = nodes.parent.length;
	const operators = d.vocabulary.operators.map(([name, what], id) => ({ id, name, what }));
	const operatorIds = new Map(operators.map((o) => [o.name, o.id]));
	const groups = d.groups.name.map((name, id) => ({
		id,
		name: id === 0 ? "outside phases" : name === null ? "further phases" : name,
		isStep: d.groups.is_step[id],
		count: d.groups.count[id],
	}));

	/* --- places ------------------------------------------------------------------------ */

	const children = Array.from({ length: nrNodes }, () => []);

	for (let i = 1; i < nrNodes; i++)
		children[nodes.parent[i]].push(i);

	/* Nodes come behind their parents. */
	function below(node) {
		const is = new Uint8Array(nrNodes);

		is[node] = 1;
		for (let i = node + 1; i < nrNodes; i++)
			is[i] = is[nodes.parent[i]];
		return is;
	}

	function nodePath(node) {
		const path = [];

		for (let i = node; i; i = nodes.parent[i])
			path.unshift(i);
		return path;
	}

	/* --- sums -------------------------------------------------------------------------- */

	function newSum() {
		return { time: 0, launches: 0, calls: 0, attentions: 0, flops: 0, bytes: 0, best: 0,
			compute: 0, memory: 0, known: 0 };
	}

	/* An entry's work is spread evenly over its launches. */
	function addRow(sum, i) {
		const e = rows.entry[i];
		const part = entries.launches[e] ? rows.launches[i] / entries.launches[e] : 0;

		sum.time += rows.time[i];
		sum.launches += rows.launches[i];
		sum.attentions += part * entries.attentions[e];
		if (!entries.calls[e])
			return;
		sum.calls += part * entries.calls[e];
		sum.flops += part * entries.flops[e];
		sum.bytes += part * entries.bytes[e];
		sum.best += part * entries.best_ns[e];
		sum.compute += part * entries.compute_ns[e];
		sum.memory += part * entries.memory_ns[e];
		sum.known += rows.time[i];
	}

	/* filter: side, group, node, operator, each an id or null; leaveOut: one that does not count. */
	function rowsOf(filter, leaveOut) {
		const f = { ...filter };
		const list = [];

		if (leaveOut)
			f[leaveOut] = null;
		const inside = f.node ? below(f.node) : null;

		for (let i = 0; i < nrRows; i++) {
			if (f.side !== null && rows.side[i] !== f.side)
				continue;
			if (f.group !== null && rows.group[i] !== f.group)
				continue;
			if (f.operator !== null && entries.operator[rows.entry[i]] !== f.operator)
				continue;
			if (inside && !inside[rows.node[i]])
				continue;
			list.push(i);
		}
		return list;
	}

	function total(list) {
		const sum = newSum();

		for (const i of list)
			addRow(sum, i);
		return sum;
	}

	/* Map from key(row) to its sum, most time first; a key of null or undefined is left out. */
	function by(list, key) {
		const sums = new Map();

		for (const i of list) {
			const k = key(i);

			if (k === null || k === undefined)
				continue;
			if (!sums.has(k))
				sums.set(k, { key: k, ...newSum() });
			addRow(sums.get(k), i);
		}
		return [...sums.values()].sort((a, b) => b.time - a.time);
	}

	const keys = {
		side: (i) => rows.side[i],
		group: (i) => rows.group[i],
		node: (i) => rows.node[i],
		entry: (i) => rows.entry[i],
		operator: (i) => entries.operator[rows.entry[i]],
		evidence: (i) => entries.evidence[rows.entry[i]],
		kernel: (i) => entries.kernel[rows.entry[i]],
		problem: (i) => entries.problem[rows.entry[i]] < 0 ? null : entries.problem[rows.entry[i]],
		kind: (i) => {
			const kernel = d.kernels[entries.kernel[rows.entry[i]]];

			return kernel ? kernel.kind + (kernel.sub ? "/" + kernel.sub : "") : "several";
		},
	};

	/* Sums by node with all that is below it. */
	function byNode(list) {
		const sums = Array.from({ length: nrNodes }, () => ({ ...newSum(), operators: new Map() }));
		const own = new Float64Array(nrNodes);

		for (const i of list) {
			const sum = sums[rows.node[i]], operator = entries.operator[rows.entry[i]];

			addRow(sum, i);
			own[rows.node[i]] += rows.time[i];
			sum.operators.set(operator, (sum.operators.get(operator) || 0) + rows.time[i]);
		}
		for (let i = nrNodes - 1; i > 0; i--) {
			const up = sums[nodes.parent[i]];

			for (const field of Object.keys(newSum()))
				up[field] += sums[i][field];
			for (const [operator, time] of sums[i].operators)
				up.operators.set(operator, (up.operators.get(operator) || 0) + time);
		}
		return { sums, own };
	}

	/* --- names ------------------------------------------------------------------------- */

	/* Of each path the fewest parts that tell it from the others. */
	function sideNames() {
		const paths = d.sides.map((s) => String(s.path).replace(/\.ttt$/, "").split("/"));
		const isUnique = (names) => new Set(names).size === names.length;
		const depth = d3.max(paths, (p) => p.length);

		for (let i = 0; i < depth; i++) {
			const parts = paths.map((p) => p[i] || "");

			if (isUnique(parts))
				return parts;
		}
		return paths.map((p, i) => p.slice(-2).join("/") + (i ? ` (${i + 1})` : ""));
	}

	function kernelName(index) {
		return index < 0 ? "(several small kernels)" : d.kernels[index].name;
	}

	return {
		document: d, rows, entries, nodes, operators, operatorIds, groups, children, below,
		nodePath, rowsOf, total, by, byNode, keys, kernelName, nrNodes,
		sides: d.sides.map((s, id) => ({ ...s, id, name: sideNames()[id] })),
		timeWord: d.is_host_time ? "CPU time in launching calls" : "GPU time",
	};
})();
