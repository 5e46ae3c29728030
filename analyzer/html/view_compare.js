/* SPDX-License-Identifier: Apache-2.0 */
/* view_compare.js - two traces side by side: what changed, and by how much. */
"use strict";

T.views.push({ id: "compare", name: "Compare", needs: 2, render(box, filter) {
	const { el } = T.parts;
	const D = T.data, f = T.format;
	const number = (key, or) => {
		const n = Number(T.state.get(key));

		return T.state.get(key) !== undefined && n >= 0 && n < D.sides.length ? n : or;
	};
	const a = number("a", 0), b = number("b", 1);
	const lists = [a, b].map((side) => D.rowsOf({ ...filter, side }));
	const by = ["operator", "kind", "group", "label", "kernel", "problem"].includes(T.state.get("rows"))
		? T.state.get("rows") : "operator";
	/* Modules of two processes are two places; their names are what they share. */
	const paths = new Map();
	const MODULE = 3, PROCESS = 1; /* of nodes.sort */

	/* Down to the innermost module: what it calls on the way differs from version to version. */
	function modulePath(node) {
		const path = D.nodePath(node).filter((n) => D.nodes.sort[n] !== PROCESS);
		const last = d3.max(d3.range(path.length).filter((i) => D.nodes.sort[path[i]] === MODULE));

		return path.slice(0, last === undefined ? path.length : last + 1)
			.map((n) => D.nodes.label[n]).join(" / ");
	}

	const key = by !== "label" ? D.keys[by] : (i) => {
		const node = D.rows.node[i];

		if (!paths.has(node))
			paths.set(node, modulePath(node));
		return paths.get(node);
	};

	/* --- steps: runs of different length are compared step by step --- */

	const phases = D.document.phases;
	const counts = [a, b].map((side) => {
		const of = new Map();

		phases.side.forEach((s, i) => s === side && of.set(phases.group[i],
			(of.get(phases.group[i]) || 0) + phases.count[i]));
		return of;
	});
	const uneven = D.groups.filter((g) => counts[0].get(g.id) && counts[1].get(g.id) &&
		counts[0].get(g.id) !== counts[1].get(g.id));
	const perStep = uneven.length > 0 && T.state.get("per") === "step";

	/* The part of a row that counts: of phases that differ in number, one on average. */
	function weight(side, i) {
		const group = D.keys.group(i);

		return perStep && uneven.some((g) => g.id === group) ? 1 / counts[side].get(group) : 1;
	}

	function sums(side) {
		const by = new Map();

		for (const i of lists[side]) {
			const k = key(i), w = weight(side, i);

			if (k === null)
				continue;
			if (!by.has(k))
				by.set(k, { key: k, time: 0, launches: 0 });
			by.get(k).time += w * D.rows.time[i];
			by.get(k).launches += w * D.rows.launches[i];
		}
		return by.values();
	}

	const totals = [0, 1].map((side) => d3.sum(lists[side], (i) => weight(side, i) * D.rows.time[i]));

	const names = {
		operator: (k) => f.words(D.operators[k].name), kind: f.words, group: (k) => D.groups[k].name,
		label: (k) => k || "the run", kernel: D.kernelName, problem: (k) => D.document.problems[k].text,
	};

	function pick(param, value) {
		return el("select", { "aria-label": param === "a" ? "first trace" : "second trace",
			onchange: (e) => T.state.set({ [param]: e.target.value }) },
		D.sides.map((s) => el("option", { value: s.id, selected: s.id === value }, s.name)));
	}

	/* One row for each key that either has. */
	function makeRows() {
		const rows = new Map();

		lists.forEach((list, n) => {
			for (const sum of sums(n)) {
				if (!rows.has(sum.key))
					rows.set(sum.key, { key: sum.key, name: names[by](sum.key), sums: [] });
				rows.get(sum.key).sums[n] = sum;
			}
		});
		for (const row of rows.values()) {
			[row.a, row.b] = [0, 1].map((n) => row.sums[n] ? row.sums[n].time : 0);
			[row.nrA, row.nrB] = [0, 1].map((n) => row.sums[n] ? row.sums[n].launches : 0);
			row.change = row.b - row.a;
		}
		return [...rows.values()];
	}

	const rows = makeRows();
	const change = totals[1] - totals[0];
	const colour = (v) => v > 0 ? "var(--worse)" : "var(--better)";

	function sentence() {
		const wall = D.sides[b].wall_ns - D.sides[a].wall_ns;
		const most = d3.scan(rows, (p, q) => Math.abs(q.change) - Math.abs(p.change));

		return [`${D.sides[b].name} takes${perStep ? " with one step each" : ""} ${f.time(totals[1])} of ${T.data.timeWord}, ` +
			`${D.sides[a].name} ${f.time(totals[0])}: `, el("b", {
			class: change > 0 ? "worse" : "better" }, change === 0 ? "no difference" :
			`${f.change(change)}, ${f.ratio(totals[0] / totals[1])} as fast`),
		`. From start to end ${f.time(D.sides[a].wall_ns)} became ${f.time(D.sides[b].wall_ns)} ` +
			`(${f.change(wall)}).`, rows.length && rows[most].change
			? ` The largest change: ${rows[most].name}, ${f.change(rows[most].change)}.` : ""];
	}

	/* Changes to both sides of a line. */
	function chart() {
		const top = rows.filter((r) => r.change).sort((p, q) => Math.abs(q.change) - Math.abs(p.change))
			.slice(0, 12);

		if (!top.length)
			return null;
		const width = T.parts.width(box), line = 25, left = Math.min(300, width * 0.34);
		const low = Math.min(0, d3.min(top, (r) => r.change)), high = Math.max(0, d3.max(top, (r) => r.change));
		const names = 10 + Math.min(left, 7.2 * d3.max(top, (r) => r.name.length));
		/* Where nothing grew, or nothing shrank, that side is as wide as what stands above it. */
		const x = d3.scaleLinear().domain([low, high])
			.range([names + (low ? 84 : 4), width - (high ? 84 : 64)]);
		const svg = d3.create("svg").attr("width", width).attr("height", line * top.length + 24)
			.attr("role", "img").attr("aria-label", "Largest changes");

		if (low)
			svg.append("text").attr("class", "soft").attr("x", x(0) - 8).attr("y", 12)
				.attr("text-anchor", "end").text("\u25c0 less in " + D.sides[b].name);
		if (high)
			svg.append("text").attr("class", "soft").attr("x", x(0) + 8).attr("y", 12)
				.text(low ? "more \u25b6" : "more in " + D.sides[b].name + " \u25b6");
		top.forEach((r, n) => {
			const g = svg.append("g").attr("transform", `translate(0,${20 + n * line})`);
			const letters = Math.floor(left / 7);

			g.append("text").attr("x", names).attr("y", 16).attr("text-anchor", "end")
				.text(r.name.length > letters ? "\u2026" + r.name.slice(1 - letters) : r.name);
			g.append("rect").attr("x", Math.min(x(0), x(r.change))).attr("y", 3)
				.attr("width", Math.max(1, Math.abs(x(r.change) - x(0)))).attr("height", line - 7)
				.attr("fill", colour(r.change));
			g.append("text").attr("x", x(r.change) + (r.change > 0 ? 5 : -5)).attr("y", 16)
				.attr("text-anchor", r.change > 0 ? "start" : "end").text(f.change(r.change));
			T.parts.withTip(g, () => [r.name, [D.sides[a].name, f.time(r.a)], [D.sides[b].name, f.time(r.b)],
				["launches", `${f.count(r.nrA)} \u2192 ${f.count(r.nrB)}`]]);
		});
		svg.append("line").attr("x1", x(0)).attr("x2", x(0)).attr("y1", 18)
			.attr("y2", 22 + line * top.length).attr("stroke", "var(--ink-soft)");
		return el("figure", {}, svg.node());
	}

	const cuts = [["operator", "operators"], ["kind", "kinds of kernels"], ["group", "phases"],
		["label", "modules"], ["kernel", "kernels"], ["problem", "shapes"]];

	T.parts.add(box, el("h2", {}, "Compare"),
		el("div.controls", {}, pick("a", a), "with", pick("b", b), el("span.soft", {}, "by"),
			cuts.map(([k, text]) => el("button", { "aria-pressed": String(by === k),
				onclick: () => T.state.set({ rows: k === "operator" ? null : k }) }, text))),
		uneven.length ? el("div.controls", {}, el("span", {}, "The runs have different numbers of " +
			uneven.map((g) => `${g.name}s (${counts[0].get(g.id)} and ${counts[1].get(g.id)})`)
				.join(", ") + ". Compare"),
		el("button", { "aria-pressed": String(!perStep),
			onclick: () => T.state.set({ per: null }) }, "whole runs"),
		el("button", { "aria-pressed": String(perStep),
			onclick: () => T.state.set({ per: "step" }) }, "one step each, on average")) : "",
		el("p", {}, sentence()), chart() || "",
		T.parts.table({ id: "changes", rows, sort: "size", search: (r) => r.name, limit: 40,
			placeholder: "Search", columns: [
				{ key: "name", label: cuts.find((c) => c[0] === by)[1], class: "name", value: (r) => r.name },
				{ key: "a", label: D.sides[a].name, value: (r) => r.a, text: (r) => f.time(r.a) },
				{ key: "b", label: D.sides[b].name, value: (r) => r.b, text: (r) => f.time(r.b) },
				{ key: "size", label: "change", value: (r) => Math.abs(r.change),
					cell: (r) => el("span", { class: r.change > 0 ? "worse" : r.change ? "better" : "" },
						f.change(r.change)), title: "sorted by its size" },
				{ key: "times", label: "speed", value: (r) => r.a && r.b ? r.a / r.b : 0,
					text: (r) => !r.a ? "new" : !r.b ? "gone" : f.ratio(r.a / r.b),
					title: "above 1: the second is faster" },
				{ key: "part", label: "of all change", value: (r) => change ? r.change / change : 0,
					text: (r) => change ? f.share(r.change / change) : "\u2013" },
				{ key: "nr", label: "launches", value: (r) => r.nrB - r.nrA,
					text: (r) => r.nrA === r.nrB ? f.count(r.nrA)
						: `${f.count(r.nrA)} \u2192 ${f.count(r.nrB)}` },
			] }));
} });
