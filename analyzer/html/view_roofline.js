/* SPDX-License-Identifier: Apache-2.0 */
/* view_roofline.js - what was reached beside what this GPU could do at best. */
"use strict";

T.views.push({ id: "roofline", name: "Roofline", render(box, filter) {
	const { el, operatorLabel } = T.parts;
	const D = T.data, f = T.format, doc = D.document, peaks = doc.peaks, E = D.entries;
	const list = D.rowsOf(filter);
	const by = ["problem", "operator", "kernel"].includes(T.state.get("points"))
		? T.state.get("points") : "problem";
	const rows = D.by(list, D.keys[by]).filter((r) => r.flops > 0 && r.bytes > 0 && r.time > 0);
	const buttons = el("div.controls", {}, el("span.soft", {}, "A point is"),
		[["problem", "a problem (shape)"], ["kernel", "a kernel"], ["operator", "an operator"]].map(
			([key, text]) => el("button", { "aria-pressed": String(by === key),
				onclick: () => T.state.set({ points: key === "problem" ? null : key }) }, text)));

	T.parts.add(box, el("h2", {}, "Roofline ", el("small", {}, "how near the work came to what this GPU can do")),
		buttons);
	if (!rows.length)
		return void T.parts.add(box, T.parts.empty(D.total(list).flops ? "" : "The problems of matrix products, " +
			"convolutions and attention are not known here, so their work cannot be counted."));

	/* Of a point, what most of its time is. */
	const firsts = new Map();

	for (const i of list) {
		const k = D.keys[by](i), time = D.rows.time[i];

		if (!firsts.has(k) || firsts.get(k).time < time)
			firsts.set(k, { time, i });
	}
	for (const r of rows) {
		const i = firsts.get(r.key).i;

		r.operator = D.keys.operator(i);
		r.unit = E.unit[D.rows.entry[i]];
		r.name = by === "problem" ? doc.problems[r.key].text : by === "operator"
			? f.words(D.operators[r.key].name) : D.kernelName(r.key);
		r.intensity = r.flops / r.bytes;
		r.reached = r.flops / (1e-9 * r.time);
	}

	const units = [...new Set(list.map((i) => E.unit[D.rows.entry[i]]))].filter((u) => u >= 0 &&
		peaks.units[u].flops > 0);
	const width = T.parts.width(box), height = Math.max(360, Math.min(560, width * 0.5));
	const left = 92, right = 20, bottom = 40, top = 14;
	const roofs = units.map((u) => peaks.units[u].flops);
	const x = d3.scaleLog().domain([Math.min(0.5, d3.min(rows, (r) => r.intensity) / 1.5),
		Math.max(2000, d3.max(rows, (r) => r.intensity) * 1.5)]).range([left, width - right]);
	const y = d3.scaleLog().domain([d3.min(rows, (r) => r.reached) / 2,
		1.6 * Math.max(d3.max(rows, (r) => r.reached), ...roofs)]).range([height - bottom, top]).nice();
	const svg = d3.create("svg").attr("width", width).attr("height", height).attr("role", "img")
		.attr("aria-label", "Work reached by intensity, below the roofs of this GPU");

	svg.append("g").attr("class", "axis").attr("transform", `translate(0,${height - bottom})`)
		.call(d3.axisBottom(x).ticks(6).tickFormat((v) => /^1/.test(v.toExponential())
			? v < 1 ? String(v) : f.count(v) : ""));
	svg.append("g").attr("class", "axis").attr("transform", `translate(${left},0)`)
		.call(d3.axisLeft(y).ticks(6).tickFormat((v) => f.rate(v)));
	svg.append("g").attr("class", "grid").selectAll("line").data(y.ticks(6)).join("line")
		.attr("x1", left).attr("x2", width - right).attr("y1", y).attr("y2", y);
	svg.append("text").attr("class", "soft").attr("x", width - right).attr("y", height - 6)
		.attr("text-anchor", "end")
		.text("intensity: operations per byte that must move (FLOP/byte) \u2192");

	/* Roofs: memory's slope, then the flat of each unit. */
	units.forEach((u, n) => {
		const flat = peaks.units[u].flops, knee = peaks.bytes ? flat / peaks.bytes : x.domain()[0];
		const [a, b] = x.domain();
		const points = [[Math.max(a, Math.min(knee, b)), flat], [b, flat]];

		if (peaks.bytes && knee > a) {
			const from = Math.max(a, y.domain()[0] / peaks.bytes);

			points.unshift([from, from * peaks.bytes]);
		}
		svg.append("path").attr("d", d3.line().x((p) => x(p[0])).y((p) => y(p[1]))(points))
			.attr("fill", "none").attr("stroke", "var(--ink)").attr("stroke-width", 1.6)
			.attr("stroke-dasharray", ["", "7 4", "2 3", "9 3 2 3"][n % 4]);
		svg.append("text").attr("class", "halo").attr("x", width - right - 4).attr("y", y(flat) - 5).attr("text-anchor", "end")
			.text(`${peaks.units[u].name}: ${f.rate(flat)}` +
				(peaks.units[u].is_measured ? ", as given" : ""));
	});
	if (peaks.bytes && units.length) {
		const at = Math.max(x.domain()[0] * 2, y.domain()[0] / peaks.bytes * 2);

		if (at < x.domain()[1])
			svg.append("text").attr("class", "halo").attr("x", x(at) + 8)
				.attr("y", y(at * peaks.bytes) + 14)
				.text(`memory: ${f.bandwidth(peaks.bytes)}`);
	}

	const size = d3.scaleSqrt().domain([0, d3.max(rows, (r) => r.time)]).range([2.5, 26]);
	const marks = svg.append("g").selectAll("circle").data(rows).join("circle").attr("class", "pick")
		.attr("cx", (r) => x(r.intensity)).attr("cy", (r) => y(r.reached))
		.attr("r", (r) => size(r.time)).attr("fill", (r) => T.parts.colour(r.operator))
		.attr("fill-opacity", 0.7).attr("stroke", "var(--ink)").attr("stroke-width", 0.7)
		.on("click", (r) => T.parts.toggleOperator(r.operator));

	T.parts.withTip(marks, (r) => [r.name, f.words(D.operators[r.operator].name),
		["time", `${f.time(r.time)}, ${f.plural(r.launches, "launch", "launches")}`],
		["reached", f.rate(r.reached)], ["intensity", f.intensity(r.intensity)],
		r.best > 0 ? ["of the best possible", f.share(r.best / r.time)] : null]);
	T.parts.add(box, el("figure", {}, svg.node(), el("figcaption", {}, "Larger circles took more time. A point " +
		"on a line is as fast as this GPU can be; far below it there is room, or the problem is too " +
		"small for the GPU. Bytes are the fewest a problem can move. Peaks are from " +
		(peaks.is_measured || peaks.units.some((u) => u.is_measured) ? "you, in part." :
			"the vendor's datasheet."))),
	peaks.bytes && roofs.length ? "" : el("p.soft", {}, "The peaks of this GPU are not known: --peak and " +
		"--bandwidth give them."),
	T.parts.legend([...new Set(rows.map((r) => r.operator))]),
	T.parts.table({ id: "points", rows, sort: "time", limit: 15, search: (r) => r.name,
		placeholder: "Search", columns: [
			{ key: "name", label: by, class: "name", value: (r) => r.name },
			{ key: "operator", label: "operator", class: "text",
				value: (r) => D.operators[r.operator].name, cell: (r) => operatorLabel(r.operator) },
			...T.parts.timeColumns(D.total(list).time, (r) => T.parts.colour(r.operator)),
			{ key: "intensity", label: "intensity", value: (r) => r.intensity,
				text: (r) => f.intensity(r.intensity) },
			...T.parts.costColumns(),
		] }));
} });
