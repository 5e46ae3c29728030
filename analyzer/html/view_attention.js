/* SPDX-License-Identifier: Apache-2.0 */
/* view_attention.js - how long the sequences are, over time and as a distribution; what they cost. */
"use strict";

T.views.push({ id: "attention", name: "Attention", render(box, filter) {
	const { el } = T.parts;
	const D = T.data, f = T.format, doc = D.document, L = doc.lengths;
	const list = D.rowsOf({ ...filter, operator: null })
		.filter((i) => D.operators[D.keys.operator(i)].name === "attention");
	const inside = filter.node ? D.below(filter.node) : null;
	const roles = doc.vocabulary.roles;
	/* Told apart by shape as well as by colour. */
	const colours = ["--unknown", "--embedding", "--attention", "--linear", "--convolution",
		"--group_norm", "--softmax", "--resample", "--sampling"];
	const shapes = [d3.symbolCircle, d3.symbolSquare, d3.symbolTriangle, d3.symbolDiamond,
		d3.symbolCross, d3.symbolStar, d3.symbolWye, d3.symbolSquare, d3.symbolCircle];
	const css = (role) => `var(${colours[role % colours.length]})`;
	const symbol = (role, size) => d3.symbol().type(shapes[role % shapes.length]).size(size)();
	const roleName = (role) => f.words(roles[role][0]);

	if (!list.length)
		return void T.parts.add(box, T.parts.empty(D.operators.length && !filter.node && filter.group === null
			&& filter.side === null ? "No attention ran in this trace."
			: "No attention ran under these filters."));

	const ofKeys = T.state.get("length") === "keys";
	const what = ofKeys ? "keys" : "queries";
	const lengthOf = (i) => ofKeys ? L.s_k[i] : L.s_q[i];
	const points = d3.range(L.calls.length).filter((i) =>
		(filter.side === null || L.side[i] === filter.side) &&
		(filter.group === null || L.group[i] === filter.group) &&
		(!inside || L.node[i] === 0 || inside[L.node[i]]) && lengthOf(i) > 0);
	const used = [...new Set(points.map((i) => L.role[i]))].sort((a, b) => a - b);
	const byTime = T.state.get("axis") === "time";

	/* Roles of one length stand below each other. */
	const aside = (i) => 8 * (used.indexOf(L.role[i]) - (used.length - 1) / 2);

	function legend() {
		return el("div.legend", {}, used.map((role) => {
			const svg = d3.create("svg").attr("width", 14).attr("height", 14)
				.style("display", "inline-block").style("vertical-align", "-2px");

			svg.append("path").attr("transform", "translate(7,7)")
				.attr("d", symbol(role, 60)).attr("fill", css(role));
			return el("span", { title: roles[role][1] }, svg.node(), " " + roleName(role) +
				` (${roles[role][1]})`);
		}));
	}

	function lengthAxis(svg, y, width, left) {
		const ticks = d3.range(0, 24).map((k) => 2 ** k).filter((v) => v >= y.domain()[0] &&
			v <= y.domain()[1]);
		const step = Math.ceil(ticks.length / 9);

		svg.append("g").attr("class", "axis").attr("transform", `translate(${left},0)`)
			.call(d3.axisLeft(y).tickValues(ticks.filter((v, i) => i % step === 0))
				.tickFormat((v) => f.count(v)));
		svg.append("g").attr("class", "grid").selectAll("line").data(ticks.filter((v, i) =>
			i % step === 0)).join("line").attr("x1", left).attr("x2", width)
			.attr("y1", y).attr("y2", y);
	}

	function scaleOfLengths(height) {
		const low = d3.min(points, lengthOf), high = d3.max(points, lengthOf);

		return d3.scaleLog().base(2).domain([Math.max(0.7, low / 1.5), high * 1.5]).range([height - 28, 10]);
	}

	function overTime(width, height) {
		const left = 64, svg = d3.create("svg").attr("width", width).attr("height", height)
			.attr("role", "img").attr("aria-label", "Sequence length of each attention, in order");
		const y = scaleOfLengths(height);
		let order = 0;
		const at = points.map((i) => {
			const middle = order + L.calls[i] / 2;

			order += L.calls[i];
			return byTime ? L.begin[i] : middle;
		});
		const x = d3.scaleLinear().domain(byTime ? d3.extent(at) : [0, order]).range([left + 6, width - 10]);

		lengthAxis(svg, y, width - 6, left);
		svg.append("g").attr("class", "axis").attr("transform", `translate(0,${height - 26})`)
			.call(d3.axisBottom(x).ticks(width / 110).tickFormat((v) => byTime ? f.time(v) : f.count(v)));
		svg.append("text").attr("class", "soft").attr("x", 4).attr("y", 2).attr("dy", "0.3em")
			.text(what);
		const marks = svg.append("g").selectAll("path").data(points).join("path")
			.attr("transform", (i, n) => `translate(${x(at[n])},${y(lengthOf(i)) + aside(i)})`)
			.attr("d", (i) => symbol(L.role[i], 26 + 10 * Math.min(6, Math.log2(L.calls[i]))))
			.attr("fill", (i) => css(L.role[i])).attr("fill-opacity", 0.75);

		T.parts.withTip(marks, (i) => [`${roleName(L.role[i])} attention`,
			["queries", f.count(L.s_q[i])], ["keys", L.s_k[i] ? f.count(L.s_k[i]) : "not known"],
			["calls", f.count(L.calls[i])], ["at", f.time(L.begin[i])],
			["in", D.nodePath(L.node[i]).slice(-3).map((n) => D.nodes.label[n]).join(" / ") || "the run"],
			D.groups[L.group[i]].name]);
		return svg.node();
	}

	/* Calls by length, each role a part of the bar. */
	function distribution(width, height) {
		const left = 64, svg = d3.create("svg").attr("width", width).attr("height", height)
			.attr("role", "img").attr("aria-label", "How many attentions have which sequence length");
		const y = scaleOfLengths(height);
		const room = (height - 38) / Math.log2(y.domain()[1] / y.domain()[0]);
		/* Levels an octave: bars of 10 and their numbers do not touch where there are many. */
		const fine = new Set(points.map((i) => Math.round(4 * Math.log2(lengthOf(i))))).size;
		const parts = fine > 12 ? d3.max([1, 2, 4].filter((n) => n === 1 || room / n >= 11)) : 4;
		const levels = d3.nest().key((i) => Math.round(parts * Math.log2(lengthOf(i))))
			.entries(points);
		const bars = levels.map((level) => ({ at: 2 ** (Number(level.key) / parts),
			parts: d3.nest().key((i) => L.role[i]).rollup((is) => d3.sum(is, (i) => L.calls[i]))
				.entries(level.values) }));
		const most = d3.max(bars, (b) => d3.sum(b.parts, (q) => q.value)) || 1;
		const x = d3.scaleLinear().domain([0, most]).range([0, width - left - 50]);

		lengthAxis(svg, y, width - 6, left);
		for (const bar of bars) {
			let from = left + 1;

			for (const part of bar.parts) {
				const rect = svg.append("rect").datum(part).attr("x", from).attr("y", y(bar.at) - 5)
					.attr("height", 10).attr("width", Math.max(1, x(part.value) - 0.5))
					.attr("fill", css(Number(part.key)));

				T.parts.withTip(rect, () => [`about ${f.count(bar.at)} ${what}`,
					[roleName(Number(part.key)), f.plural(part.value, "call")]]);
				from += Math.max(1, x(part.value));
			}
			svg.append("text").attr("x", from + 5).attr("y", y(bar.at) + 4)
				.text(f.count(d3.sum(bar.parts, (q) => q.value)));
		}
		return svg.node();
	}

	function shapeTable() {
		const rows = D.by(list, D.keys.problem);
		const known = new Set(rows.map((r) => r.key));
		const rest = D.total(list.filter((i) => !known.has(D.keys.problem(i))));
		const a = (r) => doc.problems[r.key].attention || {};
		const total = D.total(list).time;

		return [T.parts.table({ id: "attentions", rows: rows.filter((r) => doc.problems[r.key].attention),
			sort: "time", search: (r) => doc.problems[r.key].text, placeholder: "Search shapes",
			columns: [
				{ key: "role", label: "role", class: "text", value: (r) => String(a(r).role),
					cell: (r) => el("span", { title: (roles.find((x) => x[0] === a(r).role) || [])[1] },
						f.words(a(r).role)) },
				{ key: "backend", label: "computed by", class: "text", value: (r) => String(a(r).backend),
					text: (r) => a(r).backend === "math" ? "math (not fused)" : a(r).backend },
				{ key: "s_q", label: "queries", value: (r) => a(r).s_q,
					text: (r) => (a(r).exactness === "upper bound" ? "\u2264 " : "") + f.count(a(r).s_q) },
				{ key: "s_k", label: "keys", value: (r) => a(r).s_k, text: (r) => f.count(a(r).s_k) },
				{ key: "b", label: "batch", value: (r) => a(r).b, text: (r) => f.count(a(r).b) },
				{ key: "h", label: "heads", value: (r) => a(r).h, text: (r) => f.count(a(r).h) +
					(a(r).h_kv && a(r).h_kv !== a(r).h ? ` (${a(r).h_kv} of keys)` : "") },
				{ key: "d", label: "head size", value: (r) => a(r).d, text: (r) => f.count(a(r).d) },
				{ key: "type", label: "type", class: "text", value: (r) => String(a(r).type) },
				{ key: "calls", label: "calls", value: (r) => r.attentions,
					text: (r) => f.count(r.attentions) },
				...T.parts.timeColumns(total, () => "var(--attention)").slice(0, 2),
				{ key: "mean", label: "mean", value: (r) => r.time / r.attentions || 0,
					text: (r) => r.attentions ? f.time(r.time / r.attentions) : "\u2013",
					title: "of one attention, all its kernels together" },
				...T.parts.costColumns(),
			] }), rest.time ? el("p.soft", {}, `${f.time(rest.time)} of attention's time is in kernels ` +
				"whose shape is not known, or too small for a row.") : null];
	}

	const width = T.parts.width(box), wide = width > 900;
	const chartWidth = wide ? Math.floor(width * 0.66) : width;

	T.parts.add(box, el("h2", {}, "Sequence lengths ", el("small", {}, `how many ${what} each attention worked on` +
		(ofKeys ? ": what a query looks at, in decoding the cache" : ""))));
	if (points.length || ofKeys)
		T.parts.add(box, el("div.controls", {}, el("button", { "aria-pressed": String(!ofKeys),
			onclick: () => T.state.set({ length: null }) }, "queries"),
		el("button", { "aria-pressed": String(ofKeys),
			onclick: () => T.state.set({ length: "keys" }) }, "keys"),
		el("span.soft", {}, "\u00b7"), el("button", { "aria-pressed": String(!byTime),
			onclick: () => T.state.set({ axis: null }) }, "in the order of calls"),
		el("button", { "aria-pressed": String(byTime),
			onclick: () => T.state.set({ axis: "time" }) }, "over time"), legend()));
	if (points.length)
		T.parts.add(box, el("figure", { style: { display: "flex", flexWrap: "wrap", gap: "12px" } },
			overTime(chartWidth, 330), distribution(wide ? width - chartWidth - 12 : width, 330),
			el("figcaption", {}, (wide ? "Left" : "Above") + ": each mark is one attention or several " +
				`neighbours of one shape, larger for more. ${wide ? "Right" : "Below"}: calls by length.` + (L.left_out ? ` ${f.count(L.left_out)} ` +
				"attentions are not shown." : "") + (L.is_rounded ? " Lengths are rounded." : ""))));
	else
		T.parts.add(box, T.parts.empty("The lengths of these attentions are not known."));
	T.parts.add(box, el("h2", {}, "Shapes"), ...shapeTable().filter(Boolean));
} });
