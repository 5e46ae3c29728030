/* SPDX-License-Identifier: Apache-2.0 */
/* view_kernels.js - every kernel, and why it is called what it is called. */
"use strict";

T.kernels = (() => {
	const { el } = T.parts;
	const D = T.data, f = T.format, doc = D.document, E = D.entries;

	const hows = { SUBSTR: "has in it", BASE: "has before its template arguments",
		PREFIX: "begins with", REGEX: "matches" };

	function ruleText(kernel) {
		if (!kernel)
			return "several kernels, each too small for a line";
		if (!kernel.rule)
			return kernel.mangled ? "no rule knows this name" : "not a kernel: a copy or a fill";
		return ["its name ", hows[kernel.rule.how] || kernel.rule.how, " ",
			el("code", {}, kernel.rule.pattern), kernel.rule.file ? ` (${kernel.rule.file})` : ""];
	}

	/* Why the work of an entry is called what it is called. */
	function explain(e, more) {
		const kernel = doc.kernels[E.kernel[e]];
		const problem = E.problem[e] < 0 ? null : doc.problems[E.problem[e]];
		const operator = D.operators[E.operator[e]];
		const [evidence, what] = doc.vocabulary.evidences[E.evidence[e]];
		const list = [...(more || []),
			["operator", [f.words(operator.name), el("span.soft", {}, " \u2013 " + operator.what)]],
			["known by", [what, el("span.soft", {}, ` (evidence: ${evidence})`)]],
			["kind", kernel ? f.words(kernel.kind + (kernel.sub ? "/" + kernel.sub : "")) : "\u2013"],
			["because", ruleText(kernel)]];

		if (kernel && kernel.operator !== operator.name)
			list.push(["by its name alone", `it would be ${f.words(kernel.operator)}`]);
		if (problem)
			list.push(["problem", problem.text]);
		if (E.conflict[e] >= 0)
			list.push(["contradicted by", doc.vocabulary.evidences[E.conflict[e]][1] +
				", which says another operator"]);
		if (kernel)
			list.push(["full name", el("code", {}, kernel.full)]);
		if (kernel && kernel.mangled && kernel.mangled !== kernel.full)
			list.push(["as compiled", el("code", {}, kernel.mangled)]);
		return el("dl", {}, list.map(([k, v]) => [el("dt", {}, k), el("dd", {}, v)]));
	}

	return { explain };
})();

T.views.push({ id: "kernels", name: "Kernels", render(box, filter) {
	const { el, operatorLabel } = T.parts;
	const D = T.data, f = T.format, doc = D.document, E = D.entries;
	const list = D.rowsOf(filter), total = D.total(list);
	const kindOf = (k) => k < 0 ? "several" : doc.kernels[k].kind +
		(doc.kernels[k].sub ? "/" + doc.kernels[k].sub : "");

	if (!list.length)
		return void T.parts.add(box, T.parts.empty());

	/* One row for a kernel and the operator it worked for. */
	function makeRows() {
		const rows = D.by(list, (i) => D.keys.kernel(i) * 64 + D.keys.operator(i));

		for (const row of rows) {
			row.kernel = Math.floor(row.key / 64);
			row.operator = row.key - row.kernel * 64;
			row.entries = new Map();
			row.places = new Map();
		}
		const by = new Map(rows.map((r) => [r.key, r]));

		for (const i of list) {
			const row = by.get(D.keys.kernel(i) * 64 + D.keys.operator(i));
			const e = D.rows.entry[i];

			row.entries.set(e, (row.entries.get(e) || 0) + D.rows.time[i]);
			row.places.set(D.rows.node[i], (row.places.get(D.rows.node[i]) || 0) + D.rows.time[i]);
		}
		for (const row of rows) {
			const es = [...row.entries.keys()];

			row.main = [...row.entries].sort((a, b) => b[1] - a[1])[0][0];
			row.evidence = doc.vocabulary.evidences[E.evidence[row.main]][0];
			row.min = d3.min(es, (e) => E.min[e]);
			row.max = d3.max(es, (e) => E.max[e]);
		}
		return rows;
	}

	function more(row) {
		const problems = [...row.entries].filter(([e]) => E.problem[e] >= 0)
			.sort((a, b) => b[1] - a[1]);
		const places = [...row.places].sort((a, b) => b[1] - a[1]);

		return el("div", {}, T.kernels.explain(row.main),
			problems.length > 1 ? el("p", {}, el("b", {}, `${f.plural(problems.length, "problem")}: `),
				problems.slice(0, 8).map(([e, time], i) => (i ? "; " : "") +
					`${doc.problems[E.problem[e]].text} (${f.time(time)})`),
				problems.length > 8 ? " \u2026" : "") : null,
			el("p", {}, el("b", {}, "Launched in: "), places.slice(0, 6).map(([n, time], i) => [
				i ? "; " : "", el("a", { href: T.state.link({ module: n || null, view: "modules" }) },
					D.nodePath(n).slice(-3).map((k) => D.nodes.label[k]).join(" / ") || "the run"),
				` (${f.time(time)})`]), places.length > 6 ? ` and ${places.length - 6} more places` : ""));
	}

	const rows = makeRows();

	T.parts.add(box, el("h2", {}, "Kernels ", el("small", {}, "open a row to see why it is called what it " +
		"is called")),
	T.parts.table({ id: "kernels", rows, sort: "time", placeholder: "Search names, kinds, operators",
		search: (r) => [D.kernelName(r.kernel), r.kernel < 0 ? "" : doc.kernels[r.kernel].full,
			kindOf(r.kernel), D.operators[r.operator].name, r.evidence].join(" "),
		columns: [
			{ key: "name", label: "kernel", class: "name", value: (r) => D.kernelName(r.kernel),
				cell: (r) => el("span.clip", { title: D.kernelName(r.kernel) },
					D.kernelName(r.kernel)) },
			{ key: "operator", label: "operator", class: "text",
				value: (r) => D.operators[r.operator].name, cell: (r) => operatorLabel(r.operator) },
			{ key: "kind", label: "kind", class: "text", value: (r) => kindOf(r.kernel),
				text: (r) => f.words(kindOf(r.kernel)), title: "what the kernel is, by its name" },
			{ key: "evidence", label: "known by", class: "text", value: (r) => r.evidence,
				title: "what says which operator it belongs to" },
			...T.parts.timeColumns(total.time, (r) => T.parts.colour(r.operator)),
			{ key: "mean", label: "mean", value: (r) => r.time / r.launches,
				text: (r) => f.time(r.time / r.launches) },
			{ key: "min", label: "shortest", value: (r) => r.min, text: (r) => f.time(r.min),
				title: "in the whole run" },
			{ key: "max", label: "longest", value: (r) => r.max, text: (r) => f.time(r.max),
				title: "in the whole run" },
		], more }));
} });
