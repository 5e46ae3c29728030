/* SPDX-License-Identifier: Apache-2.0 */
/* view_shapes.js - the problems that libraries were asked to solve. */
"use strict";

T.views.push({ id: "shapes", name: "Shapes", render(box, filter) {
	const { el, operatorLabel } = T.parts;
	const D = T.data, f = T.format, doc = D.document;
	const list = D.rowsOf(filter), total = D.total(list);
	const rows = D.by(list, D.keys.problem);

	if (!list.length)
		return void T.parts.add(box, T.parts.empty());

	const firsts = new Map();

	for (const i of list)
		if (D.keys.problem(i) !== null && !firsts.has(D.keys.problem(i)))
			firsts.set(D.keys.problem(i), D.keys.operator(i));

	function more(r) {
		const kernels = D.by(list.filter((i) => D.keys.problem(i) === r.key), D.keys.kernel);

		return el("div", {}, el("b", {}, `Solved with ${f.plural(kernels.length, "kernel")}: `),
			el("ul", {}, kernels.slice(0, 12).map((k) => el("li", {}, `${f.time(k.time)} in ` +
				`${f.plural(k.launches, "launch", "launches")} of `, D.kernelName(k.key)))));
	}

	const known = d3.sum(rows, (r) => r.time);

	T.parts.add(box, el("h2", {}, "Shapes ", el("small", {}, "problems that libraries were asked to solve, and " +
		"attentions")),
	el("p.soft", {}, `${f.share(known / total.time)} of the time under these filters is in problems ` +
		"that are known; what remains are kernels of their own, such as elementwise ones" +
		(doc.evidence.library_calls ? "." : ", and matrix products: no library calls were recorded.")),
	rows.length ? T.parts.table({ id: "shapes", rows, sort: "time", placeholder: "Search shapes",
		search: (r) => doc.problems[r.key].text + " " + D.operators[firsts.get(r.key)].name,
		columns: [
			{ key: "name", label: "problem", class: "name", value: (r) => doc.problems[r.key].text },
			{ key: "operator", label: "operator", class: "text",
				value: (r) => D.operators[firsts.get(r.key)].name,
				cell: (r) => operatorLabel(firsts.get(r.key)) },
			...T.parts.timeColumns(total.time, (r) => T.parts.colour(firsts.get(r.key))),
			{ key: "calls", label: "solved", value: (r) => r.attentions || r.calls,
				text: (r) => r.attentions || r.calls ? f.count(r.attentions || r.calls) : "\u2013",
				title: "how many times" },
			{ key: "mean", label: "mean", value: (r) => r.time / (r.attentions || r.calls) || 0,
				text: (r) => r.attentions || r.calls ? f.time(r.time / (r.attentions || r.calls)) : "\u2013",
				title: "of one, with its helpers" },
			...T.parts.costColumns(),
			{ key: "intensity", label: "intensity", value: (r) => r.flops / r.bytes || 0,
				text: (r) => f.intensity(r.flops / r.bytes || 0) },
		], more }) : T.parts.empty("No problem is known."));
} });
