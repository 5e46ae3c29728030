/* SPDX-License-Identifier: Apache-2.0 */
/* view_sweep.js - several traces: how time grows with what was changed between them. */
"use strict";

T.views.push({ id: "sweep", name: "Sweep", needs: 3, render(box, filter) {
	const { el, operatorLabel } = T.parts;
	const D = T.data, f = T.format;

	/* Numbers on the command line that differ: {name, values by side}. */
	function parameters() {
		const words = D.sides.map((s) => String(s.command || "").split(/[\s=]+/));
		const found = [];

		for (let w = 0; w < d3.min(words, (list) => list.length); w++) {
			const values = words.map((list) => Number(list[w]));

			if (values.every((v) => isFinite(v) && v > 0) && new Set(values).size > 1)
				found.push({ name: w ? words[0][w - 1].replace(/^-+/, "") : "number", values });
		}
		return found;
	}

	const given = parameters();
	const measured = [
		{ name: "order", values: D.sides.map((s) => s.id + 1) },
		{ name: "launches", values: D.sides.map((s) => s.launches) },
	];
	const all = [...given, ...measured];
	const along = all[Number(T.state.get("along"))] || all[0];
	const isOrder = along.name === "order";
	const sides = D.sides.slice().sort((p, q) => along.values[p.id] - along.values[q.id]);
	const lists = new Map(sides.map((s) => [s.id, D.rowsOf({ ...filter, side: s.id })]));
	const operators = D.by([...lists.values()].flat(), D.keys.operator).map((s) => s.key);
	const timeOf = new Map(sides.map((s) => [s.id,
		new Map(D.by(lists.get(s.id), D.keys.operator).map((sum) => [sum.key, sum.time]))]));
	const time = (side, operator) => operator === null ? D.total(lists.get(side.id)).time
		: timeOf.get(side.id).get(operator) || 0;

	/* The power of the parameter that time grows with, by least squares of logarithms. */
	function exponent(operator) {
		const points = sides.filter((s) => time(s, operator) > 0)
			.map((s) => [Math.log(along.values[s.id]), Math.log(time(s, operator))]);
		const mx = d3.mean(points, (p) => p[0]), my = d3.mean(points, (p) => p[1]);
		const xx = d3.sum(points, (p) => (p[0] - mx) ** 2);

		return points.length > 1 && xx > 0
			? d3.sum(points, (p) => (p[0] - mx) * (p[1] - my)) / xx : null;
	}

	function chart() {
		const shown = operators.slice(0, 8);
		const width = T.parts.width(box), height = 380, left = 80, right = 130, bottom = 36;
		const xs = sides.map((s) => along.values[s.id]);
		const x = (isOrder ? d3.scaleLinear() : d3.scaleLog()).domain(d3.extent(xs))
			.range([left + 10, width - right]);
		const times = sides.flatMap((s) => shown.map((o) => time(s, o))).filter((t) => t > 0);

		if (!times.length)
			return T.parts.empty();
		const y = d3.scaleLog().domain([d3.min(times) / 1.4, d3.max(times) * 1.4])
			.range([height - bottom, 10]);
		const svg = d3.create("svg").attr("width", width).attr("height", height).attr("role", "img")
			.attr("aria-label", `Time by operator along ${along.name}`);

		svg.append("g").attr("class", "axis").attr("transform", `translate(0,${height - bottom})`)
			.call(d3.axisBottom(x).tickValues([...new Set(xs)]).tickFormat((v) => isOrder
				? sides.find((s) => along.values[s.id] === v).name : f.count(v)));
		const ticks = y.ticks().filter((v) => /^[125]/.test(v.toExponential()));

		svg.append("g").attr("class", "axis").attr("transform", `translate(${left},0)`)
			.call(d3.axisLeft(y).tickValues(ticks).tickFormat((v) => f.time(v)));
		svg.append("g").attr("class", "grid").selectAll("line").data(ticks).join("line")
			.attr("x1", left).attr("x2", width - right).attr("y1", y).attr("y2", y);
		svg.append("text").attr("class", "soft").attr("x", width - right).attr("y", height - 4)
			.attr("text-anchor", "end").text(along.name + " \u2192");
		const ends = [];

		for (const o of shown) {
			const points = sides.filter((s) => time(s, o) > 0);

			if (!points.length)
				continue;
			svg.append("path").attr("fill", "none").attr("stroke", T.parts.colour(o)).attr("stroke-width", 2)
				.attr("d", d3.line().x((s) => x(along.values[s.id])).y((s) => y(time(s, o)))(points));
			T.parts.withTip(svg.append("g").selectAll("circle").data(points).join("circle").attr("r", 5)
				.attr("cx", (s) => x(along.values[s.id])).attr("cy", (s) => y(time(s, o)))
				.attr("fill", T.parts.colour(o)).attr("stroke", "var(--ink)").attr("stroke-width", 0.6),
			(s) => [`${f.words(D.operators[o].name)} in ${s.name}`, f.time(time(s, o)),
				[along.name, f.count(along.values[s.id])]]);
			ends.push({ o, y: y(time(points[points.length - 1], o)) });
		}
		/* Names at the ends of lines, not over each other. */
		ends.sort((p, q) => p.y - q.y).forEach((end, n) => {
			end.y = n ? Math.max(end.y, ends[n - 1].y + 14) : end.y;
			svg.append("text").attr("x", width - right + 10).attr("y", end.y + 4)
				.text(f.words(D.operators[end.o].name));
		});
		return el("figure", {}, svg.node(), el("figcaption", {}, isOrder
			? "Times on a logarithmic scale." : "Both scales are logarithmic: a straight line is a power."));
	}

	const rows = [null, ...operators];

	T.parts.add(box, el("h2", {}, "Sweep ", el("small", {}, "how time grows")),
		el("div.controls", {}, el("span.soft", {}, "along"), all.map((one, n) => el("button", {
			"aria-pressed": String(one === along),
			onclick: () => T.state.set({ along: n }) }, one.name))),
		given.length ? "" : el("p.soft", {}, "No number differs between the command lines of these traces, " +
			"so they stand in the order in which they were given."),
		chart(), T.parts.table({ id: "sweep", rows, sort: "last", columns: [
			{ key: "name", label: "operator", class: "text",
				value: (o) => o === null ? "everything" : D.operators[o].name,
				cell: (o) => o === null ? "everything" : operatorLabel(o) },
			...sides.map((s) => ({ key: "s" + s.id, label: isOrder ? s.name
				: `${along.name} ${f.count(along.values[s.id])}`, title: s.name,
			value: (o) => time(s, o), text: (o) => f.time(time(s, o)) })),
			{ key: "last", label: "last to first", value: (o) => time(sides[sides.length - 1], o) /
				time(sides[0], o) || 0, text: (o) => f.ratio(time(sides[sides.length - 1], o) /
				time(sides[0], o)) },
			...(isOrder ? [] : [{ key: "exponent", label: `grows with ${along.name} to the`,
				value: (o) => exponent(o) || 0,
				text: (o) => exponent(o) === null ? "\u2013" : f.signed(exponent(o).toFixed(2)),
				title: "power, by least squares of logarithms: 1 is linear, 2 quadratic" }]),
		] }));
} });
