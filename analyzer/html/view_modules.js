/* SPDX-License-Identifier: Apache-2.0 */
/* view_modules.js - the tree of the model's modules as an icicle: width is time, below is inside. */
"use strict";

T.views.push({ id: "modules", name: "Modules", render(box, filter) {
	const { el } = T.parts;
	const D = T.data, f = T.format;
	const list = D.rowsOf(filter, "node");
	const { sums, own } = D.byNode(list);
	const focus = filter.node && sums[filter.node].time ? filter.node : 0;
	const sorts = ["run", "process", "no path", "module", "object", "function", "set up"];

	if (!sums[0].time)
		return void T.parts.add(box, T.parts.empty());

	/* --- the tree: what only leads to one place stands on its line --- */

	function make(node) {
		let labels = [D.nodes.label[node]], at = node;

		for (;;) {
			const below = D.children[at].filter((n) => sums[n].time > 0);

			if (at === 0 || own[at] > 0 || below.length !== 1 || D.nodes.sort[at] === 3)
				break;
			at = below[0];
			labels.push(D.nodes.label[at]);
		}
		return { node, at, label: labels.join(" / "), time: sums[node].time,
			children: D.children[at].filter((n) => sums[n].time > 0).map(make) };
	}

	const tree = make(focus);

	tree.label = focus ? tree.label : "whole run";
	const root = d3.hierarchy(tree);

	root.each((n) => { n.value = n.data.time; });
	const line = 22, width = T.parts.width(box);
	const depth = Math.min(40, root.height + 1);

	d3.partition().size([width, line * (root.height + 1)])(root);
	/* What has no children leaves its own time free: partition() fills from the left. */

	function dominant(node) {
		let best = 0, most = -1;

		for (const [operator, time] of sums[node].operators)
			if (time > most) {
				most = time;
				best = operator;
			}
		return [best, most / (sums[node].time || 1)];
	}

	const query = () => (T.state.get("find_modules") || "").toLowerCase();
	const matches = (n) => query() && D.nodes.label[n.data.node].toLowerCase().includes(query());
	const svg = d3.create("svg").attr("width", width).attr("height", line * depth + 2)
		.attr("role", "tree").attr("aria-label", "Modules of the model").attr("tabindex", 0);
	const visible = root.descendants().filter((n) => n.x1 - n.x0 > 0.6 && n.depth < depth);
	const cells = svg.selectAll("g").data(visible).join("g").attr("class", "pick")
		.attr("role", "treeitem").attr("data-node", (n) => n.data.node)
		.attr("transform", (n) => `translate(${n.x0},${n.y0})`)
		.on("click", (n) => go(n));

	cells.append("rect").attr("width", (n) => Math.max(0.5, n.x1 - n.x0 - 1)).attr("height", line - 1.5)
		.attr("rx", 2)
		.attr("fill", (n) => T.parts.colour(dominant(n.data.at)[0]))
		.attr("fill-opacity", (n) => n.depth === 0 ? 0.25 : 0.35 + 0.6 * dominant(n.data.at)[1]);
	const labels = cells.filter((n) => n.x1 - n.x0 > 34).append("text").attr("x", 4).attr("y", 15)
		.text((n) => fit(n.data.label, n.x1 - n.x0 - 8));

	/* Ink for what the colour comes to over the paper. */
	function inkOf(n) {
		const [operator, share] = dominant(n.data.at);
		const over = d3.interpolateRgb(T.parts.computed("paper"),
			T.parts.computed(D.operators[operator].name))(n.depth === 0 ? 0.25 : 0.35 + 0.6 * share);

		return T.parts.inkOn(over);
	}

	labels.style("fill", inkOf);

	function fit(string, room) {
		const letters = Math.floor(room / 6.8);

		return string.length <= letters ? string
			: letters < 4 ? "" : string.slice(0, letters - 1) + "\u2026";
	}

	T.parts.withTip(cells, (n) => {
		const s = sums[n.data.node];

		return [D.nodePath(n.data.at).map((k) => D.nodes.label[k]).join(" / ") || "whole run",
			[f.time(s.time), `(${f.share(s.time / sums[0].time)} of ${T.data.timeWord}, ` +
				`${f.share(s.time / sums[focus].time)} of what is shown)`],
			["itself", f.time(own[n.data.at])], f.plural(s.launches, "launch", "launches"),
			...[...s.operators].sort((a, b) => b[1] - a[1]).slice(0, 4).map(([o, t]) =>
				[f.words(D.operators[o].name), f.share(t / s.time)]),
			n.data.node === focus ? "click to go up" : "click to go in: a filter for all views"];
	});

	function go(n) {
		T.parts.hideTip();
		const to = n.data.node === focus ? up(focus) : n.data.node;

		T.state.set({ module: to || null });
	}

	/* Past what only leads here. */
	function up(node) {
		let at = D.nodes.parent[node];

		while (at && D.children[at].filter((n) => sums[n].time > 0).length === 1 && !own[at])
			at = D.nodes.parent[at];
		return at;
	}

	/* --- search --- */

	const found = el("span.soft", { role: "status" });

	function mark() {
		const hits = root.descendants().filter(matches);
		const outer = hits.filter((n) => !n.ancestors().slice(1).some(matches));

		cells.select("rect").attr("stroke", (n) => matches(n) ? "var(--ink)" : null)
			.attr("stroke-width", 2);
		cells.attr("opacity", (n) => !query() || matches(n) || n.ancestors().some(matches) ? 1 : 0.28);
		found.textContent = query() ? `${f.plural(hits.length, "place")}, ` +
			`${f.time(d3.sum(outer, (n) => n.value))} (${f.share(d3.sum(outer, (n) => n.value) /
				sums[focus].time)})` : "";
	}

	/* --- keys: arrows move a mark through the tree, Enter goes in --- */

	let marked = root;

	function moveTo(n) {
		if (!n || !visible.includes(n))
			return;
		marked = n;
		cells.select("rect").attr("stroke", (k) => k === n ? "var(--ink)" : null).attr("stroke-width", 2);
		svg.attr("aria-label", `${n.data.label}, ${f.time(n.value)}`);
	}

	svg.on("keydown", () => {
		const event = d3.event, siblings = marked.parent ? marked.parent.children : [marked];
		const at = siblings.indexOf(marked);
		const to = { ArrowDown: marked.children && marked.children[0], ArrowUp: marked.parent,
			ArrowRight: siblings[at + 1], ArrowLeft: siblings[at - 1] };

		if (event.key === "Enter")
			go(marked);
		else if (event.key === "Backspace")
			T.state.set({ module: up(focus) || null });
		else if (event.key in to)
			moveTo(to[event.key]);
		else
			return;
		event.preventDefault();
		event.stopPropagation();
	});

	/* --- as a table --- */

	function table() {
		const rows = d3.range(1, D.nrNodes).filter((n) => sums[n].time > 0 && (!focus ||
			D.nodePath(n).includes(focus)));

		return T.parts.table({ id: "places", rows, sort: "own", limit: 25,
			search: (n) => D.nodePath(n).map((k) => D.nodes.label[k]).join(" / "),
			query: "modules", columns: [
				{ key: "name", label: "module", class: "name", value: (n) => D.nodes.label[n],
					cell: (n) => el("span", {}, el("a", { href: T.state.link({ module: n }) },
						D.nodes.label[n]), el("br"), el("small.soft", {},
						D.nodePath(n).slice(0, -1).map((k) => D.nodes.label[k]).join(" / "))) },
				{ key: "sort", label: "is", class: "text", value: (n) => sorts[D.nodes.sort[n]] },
				{ key: "own", label: "itself", value: (n) => own[n], text: (n) => f.time(own[n]),
					title: "without what is inside it" },
				{ key: "time", label: "with all inside", value: (n) => sums[n].time,
					text: (n) => f.time(sums[n].time) },
				{ key: "share", label: "share", class: "bars", value: (n) => sums[n].time,
					cell: (n) => T.parts.shareCell(sums[n].time / sums[0].time,
						T.parts.colour(dominant(n)[0])) },
				{ key: "launches", label: "launches", value: (n) => sums[n].launches,
					text: (n) => f.count(sums[n].launches) },
				{ key: "flops", label: "work", value: (n) => sums[n].flops,
					text: (n) => f.flops(sums[n].flops) },
			] });
	}

	const path = D.nodePath(focus), placeTable = table();

	T.parts.add(box, el("h2", {}, "Modules ", el("small", {}, "who asked for the work; width is time, what " +
		"is inside a module is below it")),
	D.document.evidence.python_paths ? "" : el("p.soft", {}, "No Python paths were recorded, so no " +
		"module is known."),
	el("div.controls", {}, el("input", { type: "search", id: "find-modules",
		placeholder: "Search modules", "aria-label": "Search modules",
		value: T.state.get("find_modules") || "",
		oninput: (e) => {
			T.state.set({ find_modules: e.target.value }, true);
			mark();
			placeTable.search();
		} }), found),
	el("div.crumbs", {}, el("button", { onclick: () => T.state.set({ module: null }) }, "whole run"),
		path.map((n) => [el("span", {}, "/"), el("button", {
			onclick: () => T.state.set({ module: n }) }, D.nodes.label[n])])),
	el("figure", {}, svg.node(), el("figcaption", {}, "Colour is the operator that takes most of a " +
		"module's time, stronger where it takes more of it. Click to go in, click the top to go up; ",
		el("kbd", {}, "\u2190"), " ", el("kbd", {}, "\u2191"), " ", el("kbd", {}, "\u2192"), " ",
		el("kbd", {}, "\u2193"), " ", el("kbd", {}, "Enter"), " ", el("kbd", {}, "Backspace"),
		" do the same.")),
	T.parts.legend(D.by(list, D.keys.operator).map((s) => s.key)), placeTable);
	mark();
} });
