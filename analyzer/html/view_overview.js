/* SPDX-License-Identifier: Apache-2.0 */
/* view_overview.js - what ran, on what, how long; where the time went; what to do about it. */
"use strict";

T.views = [];

T.views.push({ id: "overview", name: "Overview", render(box, filter) {
	const { el, operatorLabel } = T.parts;
	const D = T.data, f = T.format, doc = D.document;
	const { facts, costs, advice } = T.advice.of(filter.side);
	const gpu = facts.gpu;

	/* --- sentences --- */

	function program() {
		const command = String((filter.side === null ? doc.run : D.sides[filter.side]).command || "");

		return command.split(" ").map((w) => w.replace(/^.*\//, "")).join(" ") || "the program";
	}

	/* Of several traces at once: what each of them is. */
	function traces() {
		return [el("p", {}, "What follows is the sum over all of them; the filter above picks one" +
			(D.sides.length > 1 ? ", " : "."), el("a", { href: T.state.link({ view: "compare" }) },
			"Compare"), " puts two side by side."),
		T.parts.table({ id: "traces", rows: D.sides, sort: "name", up: true, limit: 20, columns: [
			{ key: "name", label: "trace", class: "text", value: (s) => s.id,
				cell: (s) => el("a", { href: T.state.link({ trace: s.id }) }, s.name) },
			{ key: "command", label: "command", class: "name", value: (s) => String(s.command),
				cell: (s) => el("span.clip", {}, String(s.command)) },
			{ key: "wall", label: "run", value: (s) => s.wall_ns, text: (s) => f.time(s.wall_ns) },
			{ key: "busy", label: "GPU busy", value: (s) => s.busy_ns, text: (s) => f.time(s.busy_ns) },
			{ key: "idle", label: "idle", value: (s) => s.idle_ns / s.span_ns || 0,
				text: (s) => s.span_ns ? f.share(s.idle_ns / s.span_ns) : "\u2013" },
			{ key: "launches", label: "launches", value: (s) => s.launches,
				text: (s) => f.count(s.launches) },
		] })];
	}

	function onWhat() {
		const gpus = [...new Set(doc.run.gpus.filter(Boolean))];

		return gpus.length ? ` on ${doc.run.gpus.length > 1 ? doc.run.gpus.length + " \u00d7 " : ""}` +
			gpus.join(", ") : "";
	}

	function headline() {
		if (filter.side === null && D.sides.length > 1 && !doc.is_host_time)
			return `${f.plural(D.sides.length, "trace")}${onWhat()}: together their GPUs worked ` +
				`${f.time(gpu.busy)} of ${f.time(gpu.span)} between first and last kernel, and were ` +
				`idle ${f.share(gpu.span ? gpu.idle / gpu.span : 0)} of the time.`;
		if (doc.is_host_time)
			return `It ran ${f.time(gpu.wall)}${onWhat()}. GPU times were not recorded: what follows is ` +
				"the CPU's time in launching calls.";
		const idle = gpu.span ? gpu.idle / gpu.span : 0;

		return `It ran ${f.time(gpu.wall)}${onWhat()}. Between its first and its last kernel, ` +
			`${f.time(gpu.span)}, the GPU worked ${f.time(gpu.busy)} and was idle ` +
			`${f.share(idle)} of the time.`;
	}

	/* --- two bars: all of the time; of it, the work --- */

	function bars() {
		const width = T.parts.width(box), height = 148, bar = 34, second = 92;
		const svg = d3.create("svg").attr("width", width).attr("height", height)
			.attr("role", "img").attr("aria-label", "Idle and busy time, and busy time by operator");
		const total = facts.total.time;
		const hasIdle = !doc.is_host_time && gpu.span > 0;
		const busy = hasIdle ? Math.max(2, width * gpu.busy / gpu.span) : width;
		const x = d3.scaleLinear().domain([0, total || 1]).range([0, width]);
		let at = 0;

		svg.append("defs").html(`<pattern id="idle-hatch" width="7" height="7"
			patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
			<rect width="7" height="7" style="fill:var(--idle)"></rect>
			<line x1="0" y1="0" x2="0" y2="7" style="stroke:var(--idle-line);stroke-width:2"></line>
			</pattern>`);
		if (hasIdle) {
			svg.append("rect").attr("width", width).attr("height", bar).attr("rx", 4)
				.attr("fill", "url(#idle-hatch)");
			svg.append("rect").attr("width", busy).attr("height", bar).attr("rx", 4)
				.attr("fill", "var(--accent)");
			svg.append("path").attr("d", `M0,${bar} L${busy},${bar} L${width},${second} L0,${second} Z`)
				.attr("fill", "var(--accent)").attr("opacity", 0.12);
			const idle = `idle ${f.time(gpu.idle)} (${f.share(gpu.idle / gpu.span)})`;
			const text = `GPU busy ${f.time(gpu.busy)} (${f.share(gpu.busy / gpu.span)})`;

			svg.append("text").attr("x", 4).attr("y", bar + 18).style("font-weight", 600).text(text);
			if (width - busy > 170) {
				const label = svg.append("text").attr("x", width - 8).attr("y", bar / 2 + 4)
					.attr("text-anchor", "end").style("font-weight", 600).text(idle);

				svg.insert("rect", "text").attr("x", width - 14 - 7 * idle.length)
					.attr("y", 6).attr("width", 7 * idle.length + 10).attr("height", bar - 12)
					.attr("rx", 4).attr("fill", "var(--idle)");
				label.raise();
			}
		}
		for (const sum of facts.operators) {
			const w = x(sum.time), colour = T.parts.colour(sum.key);
			const name = f.words(D.operators[sum.key].name);
			const g = svg.append("g").attr("class", "pick").attr("transform", `translate(${at},${second})`)
				.on("click", () => T.state.set({ view: "operators",
					operator: D.operators[sum.key].name }));

			g.append("rect").attr("width", Math.max(0.5, w - 1)).attr("height", bar).attr("rx", 3)
				.attr("fill", colour);
			if (w > 46)
				g.append("text").attr("x", 6).attr("y", bar / 2 + 4).style("fill",
					T.parts.inkOn(T.parts.computed(D.operators[sum.key].name)))
					.text(w > 8 * name.length + 60 ? `${name} ${f.share(sum.time / total)}`
						: w > 7.2 * name.length ? name : name.slice(0, Math.floor(w / 9)) + "\u2026");
			T.parts.withTip(g, () => [name, [f.time(sum.time), `(${f.share(sum.time / total)})`],
				f.plural(sum.launches, "launch", "launches"), D.operators[sum.key].what]);
			at += w;
		}
		if (hasIdle)
			svg.append("text").attr("class", "soft").attr("x", 4).attr("y", second - 8)
				.text(`all work: ${f.time(total)}` + (total > 1.02 * gpu.busy
					? ", more than busy: streams overlap" : "") + ", by what the model asked for");
		return el("figure", {}, svg.node(), T.parts.legend(facts.operators.map((s) => s.key)));
	}

	/* --- costs --- */

	function costLink(cost) {
		const to = cost.operator !== undefined
			? [["operators", "By operator"], ["kernels", "Its kernels"], ["modules", "Its modules"]]
			: [["timeline", "See it in the timeline"]];

		return el("p.links", {}, to.map(([view, text], i) => [i ? " \u00b7 " : "", el("a", {
			href: T.state.link({ view,
				operator: cost.operator === undefined ? null : D.operators[cost.operator].name }),
		}, text)]));
	}

	function costCard(cost, i) {
		const colour = cost.operator === undefined ? "var(--idle-line)" : T.parts.colour(cost.operator);

		return el("li.cost", { style: { borderLeftColor: colour } },
			el("h3", {}, `${i + 1}. ${cost.title}`),
			el("div.value", {}, f.time(cost.time) + " ", el("small", {}, cost.share)),
			el("p", {}, cost.text, cost.advice && !cost.text.includes(cost.advice.text)
				? " " + cost.advice.text : ""),
			cost.advice ? el("p.todo", {}, cost.advice.todo) : null, costLink(cost));
	}

	function adviceList(shown) {
		const more = advice.filter((a) => !shown.some((c) => c.advice === a));

		if (!more.length)
			return null;
		return [el("h2", {}, "Also worth a look"), el("ul.advice", {}, more.map((a) =>
			el("li", { "data-rule": a.id }, el("div.gain", {}, f.time(a.time),
				el("small", {}, a.about === "idle" || a.about === "start"
					? f.share(a.time / gpu.span) + " of the span"
					: f.share(a.time / facts.total.time) + " of " + D.timeWord)),
			el("div", {}, a.text, " ", el("b", {}, a.todo)))))];
	}

	/* --- facts --- */

	function coverage() {
		const c = doc.coverage, lost = doc.losses.reduce((n, l) => n + Number(l.count), 0);

		if (c.complete && !lost)
			return ["complete", "every launch has its GPU time, nothing was lost"];
		const parts = doc.losses.map((l) => `${f.count(l.count)} ${l.cause}: ${l.meaning}`);

		if (doc.is_host_time)
			parts.unshift("GPU times were not recorded");
		if (c.launches_without_record && !doc.is_host_time)
			parts.unshift(`${f.plural(c.launches_without_record, "launch", "launches")} without GPU time`);
		if (doc.run.damaged)
			parts.unshift("the trace is damaged: what is whole of it is shown");
		return ["not complete", parts.join("; ") || "the recording did not end properly"];
	}

	function evidence() {
		const e = doc.evidence, has = [];

		if (e.library_calls)
			has.push("library calls");
		if (e.parameters)
			has.push("parameters");
		if (e.native_stacks)
			has.push("native stacks");
		if (e.python_paths)
			has.push("Python paths");
		return has.length ? has.join(", ") : "names of kernels only";
	}

	function tile(what, value, more) {
		return el("div.tile", {}, el("div.what", {}, what), el("div.value", {}, value),
			el("div.more", {}, more || ""));
	}

	function tiles() {
		const [state, why] = coverage();

		return el("div.tiles", {},
			filter.side === null && D.sides.length > 1
				? tile("Runs, from start to end", f.time(d3.sum(D.sides, (s) => s.wall_ns)),
					`${f.plural(D.sides.length, "trace")}, added up`)
				: tile("Run, from start to end", f.time(gpu.wall), doc.run.begin_realtime_ns
				? new Date(doc.run.begin_realtime_ns / 1e6).toLocaleString() : ""),
			doc.is_host_time ? null : tile("GPU busy", f.time(gpu.busy),
				gpu.span ? `${f.share(gpu.busy / gpu.span)} of ${f.time(gpu.span)} between first and ` +
					"last kernel" : ""),
			tile("Launches", f.count(facts.total.launches), facts.total.launches
				? `${f.time(facts.total.time / facts.total.launches)} each on average` : ""),
			facts.total.flops ? tile("Reached", f.rate(facts.total.flops / (1e-9 * facts.total.time)),
				`${f.flops(facts.total.flops)} of known work in all GPU time`) : null,
			tile("Recording", state, why),
			tile("What is known besides names", evidence().split(", ").length + " sources",
				evidence()));
	}

	function machine() {
		const r = doc.run;
		const list = [["Command", r.command], ["Host", r.host], ["GPU", (r.gpus || []).join(", ")],
			["Driver", r.driver], ["CUDA", r.cuda && /^\d+$/.test(r.cuda)
				? Math.floor(r.cuda / 1000) + "." + Math.floor(r.cuda % 1000 / 10) : r.cuda],
			["Processes", r.processes], ["Recorded by ttitrace", r.recorder],
			["Report by ttitrace", doc.version]];

		return el("dl.words", {}, list.filter(([, v]) => v !== null && v !== undefined && v !== "")
			.map(([k, v]) => [el("dt", {}, k), el("dd", {}, String(v))]));
	}

	/* --- phases --- */

	function phases() {
		const sums = D.by(facts.list, D.keys.group);
		const p = doc.phases;

		if (sums.length < 2)
			return null;
		for (const s of sums) {
			s.span = s.busy = 0;
			for (let i = 0; i < p.begin.length; i++)
				if (p.group[i] === s.key && (filter.side === null || p.side[i] === filter.side)) {
					s.span += Math.max(0, p.end[i] - p.begin[i]);
					s.busy += p.busy[i];
				}
		}
		return [el("h2", {}, "Phases ", el("small", {}, doc.by_marks ? "that the program marked"
			: doc.period_launches ? "found by the period of launches: no module is known" : "")),
		T.parts.table({ id: "phases", rows: sums, sort: "span", limit: 20, columns: [
			{ key: "name", label: "phase", class: "text", value: (r) => D.groups[r.key].name,
				cell: (r) => el("a", { href: T.state.link({ view: "timeline", phase: r.key }) },
					D.groups[r.key].name) },
			{ key: "count", label: "times", value: (r) => r.key ? D.groups[r.key].count : 0,
				text: (r) => r.key ? f.count(D.groups[r.key].count) : "\u2013" },
			{ key: "span", label: "duration", value: (r) => r.span,
				text: (r) => r.span ? f.time(r.span) : "\u2013", title: "from begin to end, added up" },
			{ key: "idle", label: "GPU idle in it", value: (r) => r.span ? 1 - r.busy / r.span : 0,
				text: (r) => r.span ? f.share(Math.max(0, 1 - r.busy / r.span)) : "\u2013" },
			...T.parts.timeColumns(facts.total.time),
			{ key: "most", label: "mostly", class: "text", value: (r) => mostOf(r.key),
				cell: (r) => operatorLabel(mostOf(r.key)) },
		] })];
	}

	function mostOf(group) {
		return D.by(facts.list.filter((i) => D.keys.group(i) === group), D.keys.operator)[0].key;
	}

	const top = costs.slice(0, 3);

	T.parts.add(box, el("h1", {}, filter.side === null && D.sides.length > 1
		? D.sides.map((s) => s.name).slice(0, 4).join(", ") + (D.sides.length > 4 ? " \u2026" : "")
		: program()), el("p", {}, headline()),
		filter.side === null && D.sides.length > 1 ? traces() : null,
		facts.total.launches ? bars() : T.parts.empty("This trace has no work of a GPU."),
		top.length ? el("h2", {}, top.length > 1 ? `The ${["", "", "two", "three"][top.length]} largest costs`
			: "The largest cost") : "",
		el("ol.costs", {}, top.map(costCard)), ...(adviceList(top) || []), tiles(), ...(phases() || []),
		el("h2", {}, D.sides.length > 1 ? "The first run" : "The run"), machine());
} });
