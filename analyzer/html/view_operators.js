/* SPDX-License-Identifier: Apache-2.0 */
/* view_operators.js - time by what the model asked for, and by what the kernels are. */
"use strict";

T.views.push({ id: "operators", name: "Operators", render(box, filter) {
	const { el, operatorLabel } = T.parts;
	const D = T.data, f = T.format;
	const list = D.rowsOf(filter), all = D.total(list);

	if (!list.length)
		return void T.parts.add(box, T.parts.empty());

	function operators() {
		const rows = D.by(list, D.keys.operator);

		return T.parts.table({ id: "operators", rows, sort: "time", columns: [
			{ key: "name", label: "operator", class: "text",
				value: (r) => D.operators[r.key].name, cell: (r) => el("button", {
					onclick: () => T.parts.toggleOperator(r.key),
					title: "only this operator, in all views" }, operatorLabel(r.key)) },
			...T.parts.timeColumns(all.time, (r) => T.parts.colour(r.key)),
			{ key: "mean", label: "mean", value: (r) => r.time / r.launches,
				text: (r) => f.time(r.time / r.launches), title: "of one launch" },
			...T.parts.costColumns(),
		], more: (r) => el("p", {}, D.operators[r.key].what + ". ", D.by(list.filter((i) =>
			D.keys.operator(i) === r.key), D.keys.kind).slice(0, 12).map((k, i) =>
			(i ? ", " : "Kinds of kernels in it: ") + f.words(k.key) + " " + f.time(k.time))) });
	}

	/* Rows: operators; parts of a bar: kinds of kernels in it. */
	function chart() {
		const rows = D.by(list, D.keys.operator).slice(0, 15);
		const width = T.parts.width(box), line = 26, left = 130, right = 150;
		const x = d3.scaleLinear().domain([0, rows[0].time || 1]).range([left, width - right]);
		const svg = d3.create("svg").attr("width", width).attr("height", line * rows.length + 6)
			.attr("role", "img").attr("aria-label", "Time by operator, divided by kind of kernel");

		rows.forEach((row, n) => {
			const g = svg.append("g").attr("transform", `translate(0,${n * line})`);
			const kinds = D.by(list.filter((i) => D.keys.operator(i) === row.key), D.keys.kind);
			let at = left;

			g.append("text").attr("x", left - 8).attr("y", 17).attr("text-anchor", "end")
				.text(f.words(D.operators[row.key].name));
			kinds.forEach((kind, k) => {
				const w = x(kind.time) - left;
				const part = g.append("g").attr("class", "pick").on("click",
					() => T.parts.toggleOperator(row.key));

				part.append("rect").attr("x", at).attr("y", 3).attr("height", line - 6)
					.attr("width", Math.max(0.3, w - 0.7)).attr("fill", T.parts.colour(row.key))
					.attr("opacity", 1 - 0.13 * Math.min(k, 5));
				if (w > 6.6 * kind.key.length + 10)
					part.append("text").attr("x", at + 5).attr("y", 17).style("fill", T.parts.inkOn(
						T.parts.computed(D.operators[row.key].name))).text(f.words(kind.key));
				T.parts.withTip(part, () => [f.words(D.operators[row.key].name) + ": " +
					f.words(kind.key) + " kernels", [f.time(kind.time),
					`(${f.share(kind.time / row.time)} of the operator)`],
				f.plural(kind.launches, "launch", "launches")]);
				at += w;
			});
			g.append("text").attr("x", at + 8).attr("y", 17).text(f.time(row.time) + "  ")
				.append("tspan").attr("class", "soft").text(f.share(row.time / all.time));
		});
		return el("figure", {}, svg.node(), el("figcaption", {}, "Each bar is divided by kinds of " +
			"kernels, most time first: a layout change inside a convolution counts as convolution."));
	}

	function kinds() {
		const rows = D.by(list, D.keys.kind);

		return T.parts.table({ id: "kinds", rows, sort: "time", limit: 15, columns: [
			{ key: "name", label: "kind of kernel", class: "text", value: (r) => r.key,
				text: (r) => f.words(r.key) },
			...T.parts.timeColumns(all.time),
			{ key: "mean", label: "mean", value: (r) => r.time / r.launches,
				text: (r) => f.time(r.time / r.launches) },
			{ key: "for", label: "asked for by", class: "text", value: (r) => r.key,
				cell: (r) => el("span", {}, D.by(list.filter((i) => D.keys.kind(i) === r.key),
					D.keys.operator).slice(0, 3).map((o, i) => [i ? "  " : "",
					operatorLabel(o.key)])) },
		] });
	}

	T.parts.add(box, el("h2", {}, "Operators ", el("small", {}, "what the model asked for: " + D.timeWord)),
		chart(), operators(), el("h2", {}, "Kinds ", el("small", {}, "what the kernels are")), kinds());
} });
