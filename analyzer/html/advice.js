/* SPDX-License-Identifier: Apache-2.0 */
/*
 * advice.js - the largest costs in words, and what to do about them.
 *
 * A rule looks at facts that were measured and says nothing where they do not support it.  Its time
 * is what the advice is about, not what it is sure to save.
 */
"use strict";

T.advice = (() => {
	const D = T.data, f = T.format, doc = D.document;
	const MODULE = 3; /* of nodes.sort: a module of the model */
	const { entries, rows, keys } = D;

	/* --- facts --------------------------------------------------------------------------- */

	function gpuOf(side) {
		const s = side === null ? null : D.sides[side];

		return s ? { span: s.span_ns, busy: s.busy_ns, idle: s.idle_ns, wall: s.wall_ns }
			: { span: doc.gpu.span_ns, busy: doc.gpu.busy_ns, idle: doc.gpu.idle_ns,
				wall: doc.run.wall_ns };
	}

	/* First phases of their sort that took far longer than the others: what only a start costs. */
	function warmUps(side) {
		const p = doc.phases, found = [], sorts = new Map();

		for (let i = 0; i < p.begin.length; i++) {
			if (p.count[i] !== 1 || (side !== null && p.side[i] !== side))
				continue;
			const key = p.side[i] + "." + p.pid[i] + "." + p.group[i];

			if (!sorts.has(key))
				sorts.set(key, []);
			sorts.get(key).push({ i, index: p.index[i], span: p.end[i] - p.begin[i],
				idle: Math.max(0, p.end[i] - p.begin[i] - p.busy[i]) });
		}
		for (const list of sorts.values()) {
			const first = list.find((x) => x.index === 0);
			const others = list.filter((x) => x !== first);

			if (!first || !others.length)
				continue;
			const span = d3.median(others, (x) => x.span), idle = d3.median(others, (x) => x.idle);

			if (first.span > 3 * span && first.idle > idle)
				found.push({ group: p.group[first.i], idle: first.idle - idle,
					first: first.span, others: span, nr: others.length });
		}
		return found.sort((a, b) => b.idle - a.idle);
	}

	/* Where rows came late, gaps were counted in which something ran. */
	function waitsOf(lanes, idle) {
		const launch = d3.sum(lanes, (l) => l.wait_for_launch), start = d3.sum(lanes, (l) => l.wait_for_start);
		const part = launch + start > idle ? idle / (launch + start) : 1;

		return { waitForLaunch: part * launch, waitForStart: part * start };
	}

	function makeFacts(side) {
		const list = D.rowsOf({ side, group: null, node: null, operator: null });
		const lanes = doc.lanes.filter((l) => side === null || l.side === side);

		return {
			side, list,
			gpu: gpuOf(side),
			total: D.total(list),
			operators: D.by(list, keys.operator),
			...waitsOf(lanes, gpuOf(side).idle),
			warmUps: doc.is_host_time ? [] : warmUps(side),
			graphs: doc.coverage.graph_launches || 0,
			sum: (is) => D.total(list.filter(is)),
		};
	}

	const kernelOf = (i) => doc.kernels[entries.kernel[rows.entry[i]]] || { kind: "", sub: "", full: "" };
	const attentionOf = (i) => (doc.problems[entries.problem[rows.entry[i]]] || {}).attention || {};
	const isOperator = (i, name) => D.operators[keys.operator(i)].name === name;
	const unitIs = (i, name) => entries.unit[rows.entry[i]] >= 0 &&
		doc.peaks.units[entries.unit[rows.entry[i]]].name === name;

	/* --- rules --------------------------------------------------------------------------- */

	/* about: an operator, "idle" or "start"; find(facts): null, or {time, text, todo}. */
	const rules = [
		{ id: "warm_up", about: "start", find(x) {
			const idle = d3.sum(x.warmUps, (w) => w.idle);

			if (idle < 0.03 * x.gpu.span)
				return null;
			const w = x.warmUps[0];

			return { time: idle,
				text: `The first ${D.groups[w.group].name} took ${f.time(w.first)}, the others ` +
					`${f.time(w.others)}: libraries were loaded, kernels compiled or chosen.`,
				todo: "Nothing, if the process lives on: it is paid once. To judge the model, run " +
					"it once before measuring, or look at the later steps only (filter by phase)." };
		} },
		{ id: "launch_bound", about: "idle", find(x) {
			if (x.gpu.idle < 0.25 * x.gpu.span || x.waitForLaunch < 0.5 * x.gpu.idle || x.graphs)
				return null;
			return { time: x.waitForLaunch,
				text: `In ${f.share(x.waitForLaunch / x.gpu.idle)} of its idle time the GPU had ` +
					"finished all it had been given: the CPU launches kernels slower than the GPU " +
					"works them off.",
				todo: "Launch more work at once: CUDA graphs or torch.compile(mode=\"reduce-overhead\"), " +
					"a larger batch, several images per call." };
		} },
		{ id: "launch_bound_with_graphs", about: "idle", find(x) {
			if (x.gpu.idle < 0.25 * x.gpu.span || x.waitForLaunch < 0.5 * x.gpu.idle || !x.graphs)
				return null;
			return { time: x.waitForLaunch,
				text: "The GPU waits for the CPU although CUDA graphs are used " +
					`(${f.plural(x.graphs, "graph launch", "graph launches")}).`,
				todo: "Look in the timeline at what the CPU does between graphs: setting up, " +
					"compiling, waiting for results, Python of the loop around the model." };
		} },
		{ id: "math_attention", about: "attention", find(x) {
			const s = x.sum((i) => attentionOf(i).backend === "math" && attentionOf(i).role !== "vae");

			if (s.time < 0.03 * x.total.time)
				return null;
			return { time: s.time,
				text: "Attention is computed step by step (two matrix products and a softmax, " +
					"backend \u201cmath\u201d): the whole matrix of scores goes through memory.",
				todo: "Use a fused one: torch.nn.functional.scaled_dot_product_attention without what " +
					"keeps it from fusing (an explicit mask of another type, head size above 256, " +
					"fp32), or the library's attention processor for it." };
		} },
		{ id: "math_attention_vae", about: "attention", find(x) {
			const s = x.sum((i) => attentionOf(i).backend === "math" && attentionOf(i).role === "vae");

			if (s.time < 0.03 * x.total.time)
				return null;
			return { time: s.time,
				text: "The image decoder's attention is not fused (backend \u201cmath\u201d).",
				todo: "Its one wide head is more than FlashAttention takes; memory-efficient attention " +
					"takes it, and decoding in tiles makes it smaller." };
		} },
		{ id: "convolution_layout", about: "convolution", find(x) {
			const s = x.sum((i) => isOperator(i, "convolution") && kernelOf(i).kind === "layout");

			if (s.time < 0.03 * x.total.time)
				return null;
			return { time: s.time,
				text: `${f.share(s.time / x.total.time)} of the GPU time only changes the layout of ` +
					"images around convolutions, from one that PyTorch uses by default to the one " +
					"that tensor cores want.",
				todo: "model.to(memory_format=torch.channels_last) for the parts with convolutions " +
					"(UNet, VAE)." };
		} },
		{ id: "single_precision", about: "linear", find(x) {
			const s = x.sum((i) => unitIs(i, "fp32") && entries.calls[rows.entry[i]] > 0);

			if (s.time < 0.05 * x.total.time)
				return null;
			return { time: s.time,
				text: "Matrix products and convolutions run in single precision (fp32) without " +
					"tensor cores.",
				todo: "Half precision (torch_dtype=torch.float16 or bfloat16); where fp32 must be, " +
					"torch.set_float32_matmul_precision(\"high\")." };
		} },
		{ id: "tf32", about: "linear", find(x) {
			const s = x.sum((i) => unitIs(i, "tf32") && entries.calls[rows.entry[i]] > 0);

			if (s.time < 0.2 * x.total.time)
				return null;
			return { time: s.time,
				text: "Matrix products and convolutions run in tf32, at half the speed of half " +
					"precision.",
				todo: "Load the model in half precision: torch_dtype=torch.float16 or bfloat16." };
		} },
		{ id: "group_norm", about: "group_norm", find(x) {
			const s = x.sum((i) => isOperator(i, "group_norm"));
			const fused = x.sum((i) => /triton/i.test(kernelOf(i).full));

			if (s.time < 0.1 * x.total.time || fused.time > 0.1 * x.total.time)
				return null;
			return { time: s.time,
				text: "Group normalisation does little arithmetic and reads and writes whole " +
					"images, in several kernels each.",
				todo: "torch.compile fuses it with the activation behind it." };
		} },
		{ id: "unfused", about: "elementwise", find(x) {
			const names = ["elementwise", "layer_norm", "memory"];
			const s = x.sum((i) => names.includes(D.operators[keys.operator(i)].name) &&
				kernelOf(i).kind !== "memcpy");
			const fused = x.sum((i) => /triton/i.test(kernelOf(i).full));

			if (s.time < 0.15 * x.total.time || fused.time > 0.05 * x.total.time)
				return null;
			return { time: s.time,
				text: `Small operations, each a kernel of its own (${f.count(s.launches)} launches), ` +
					"read and write all their data.",
				todo: "torch.compile fuses neighbours into one kernel." };
		} },
		{ id: "casts", about: "memory", find(x) {
			const s = x.sum((i) => kernelOf(i).kind === "elementwise" && kernelOf(i).sub === "copy_cast");

			if (s.time < 0.04 * x.total.time)
				return null;
			return { time: s.time,
				text: "Copies on the GPU that make tensors contiguous or change their type.",
				todo: "Keep one type through the model; look in the kernels view which modules ask " +
					"for them (.to(), .contiguous(), mixed precision)." };
		} },
		{ id: "transfers", about: "memory", find(x) {
			const s = x.sum((i) => kernelOf(i).kind === "memcpy");

			if (s.time < 0.05 * x.total.time)
				return null;
			return { time: s.time,
				text: `Copies between memories (${f.count(s.launches)} of them).`,
				todo: "Keep weights and latents on the GPU (no CPU offload where they fit), copy " +
					"from pinned memory." };
		} },
		{ id: "weights_bound", about: "linear", find(x) {
			const s = x.sum((i) => isOperator(i, "linear") &&
				/decode step/.test(D.groups[rows.group[i]].name));

			if (s.time < 0.2 * x.total.time || s.memory <= s.compute)
				return null;
			return { time: s.time,
				text: "In decode steps matrix products are limited by memory: all weights are read " +
					"for each token.",
				todo: "Fewer bytes per weight (8 or 4 bit quantisation), more sequences per batch, " +
					"speculative decoding." };
		} },
		{ id: "made_on_gpu", about: "sampling", find(x) {
			const s = x.sum((i) => isOperator(i, "sampling") && doc.nodes.sort[rows.node[i]] === 6);

			if (s.time < 0.03 * x.total.time)
				return null;
			return { time: s.time,
				text: "Random numbers for weights that were made with the model.",
				todo: "Loading weights without initialising them first (from_pretrained does) " +
					"saves it; it is paid once." };
		} },
		{ id: "unknown", about: "unknown", find(x) {
			const s = x.sum((i) => isOperator(i, "unknown"));

			if (s.time < 0.01 * x.total.time)
				return null;
			return { time: s.time, text: "Kernels that no rule knows.",
				todo: "See them in the kernels view; `ttitrace explain` and a rules file name them." };
		} },
	];

	/* --- costs --------------------------------------------------------------------------- */

	/* Where most of some rows are: down the tree as long as one child has most of it. */
	function mostlyIn(list) {
		const { sums } = D.byNode(list);
		let at = 0, module = 0;

		for (;;) {
			const next = D.children[at].find((c) => sums[c].time > 0.6 * sums[0].time);

			if (!next)
				return module;
			at = next;
			if (D.nodes.sort[at] === MODULE)
				module = at;
		}
	}

	const sentence = (text) => text.replace(/^./, (c) => c.toUpperCase()) + ".";

	function place(list) {
		const groups = D.by(list, keys.group), total = D.total(list).time, parts = [];
		const module = mostlyIn(list);

		if (groups.length > 1 && groups[0].key && groups[0].time > 0.5 * total)
			parts.push(`${f.share(groups[0].time / total)} of it in ${D.groups[groups[0].key].name}s`);
		if (module)
			parts.push(`mostly in ${D.nodes.label[module]}`);
		return parts.length ? sentence(parts.join(", ")) + " " : "";
	}

	function operatorCost(x, sum) {
		const operator = D.operators[sum.key];
		const list = x.list.filter((i) => keys.operator(i) === sum.key);
		const of = D.timeWord;

		return { about: operator.name, operator: sum.key, time: sum.time,
			title: sentence(f.words(operator.name)).slice(0, -1),
			share: `${f.share(sum.time / x.total.time)} of the ${of}`,
			text: sentence(operator.what) + " " + place(list) +
				`${f.plural(sum.launches, "launch", "launches")}.` };
	}

	/* Not every launch has its call: what is known of the others may be less than all idle time. */
	function waiting(x) {
		if (x.waitForLaunch > 0.5 * x.gpu.idle)
			return "It waits for the CPU to launch the next kernel.";
		if (!x.waitForLaunch && !x.waitForStart)
			return "When what it waited for was launched is not known.";
		return `Of all ${f.time(x.gpu.idle)} of idle time it waited ${f.time(x.waitForLaunch)} for the ` +
			`next launch and ${f.time(x.waitForStart)} with something launched, behind copies, other ` +
			"streams or set-up." + (x.waitForLaunch + x.waitForStart < 0.8 * x.gpu.idle
			? " Of the rest it is not known." : "");
	}

	function costs(x) {
		const list = x.operators.filter((s) => s.time > 0).map((s) => operatorCost(x, s));
		const start = d3.sum(x.warmUps, (w) => w.idle);
		const idle = x.gpu.idle - start;

		if (!doc.is_host_time && idle > 0)
			list.push({ about: "idle", time: idle, title: "The GPU has nothing to do",
				share: `${f.share(idle / x.gpu.span)} of the time between first and last kernel`,
				text: waiting(x) });
		if (start > 0)
			list.push({ about: "start", time: start, title: "Warming up",
				share: `${f.share(start / x.gpu.span)} of the time between first and last kernel`,
				text: "First steps that took longer than later ones of the same sort, while the " +
					"GPU was idle." });
		return list.sort((a, b) => b.time - a.time);
	}

	/* {facts, costs: most time first, each with its advice or none, advice: all of it}. */
	function make(side) {
		const facts = makeFacts(side);
		const advice = rules.map((rule) => ({ rule, found: rule.find(facts) }))
			.filter((a) => a.found)
			.map((a) => ({ id: a.rule.id, about: a.rule.about, ...a.found }))
			.sort((a, b) => b.time - a.time);
		const list = costs(facts);

		for (const cost of list)
			cost.advice = advice.find((a) => a.about === cost.about) || null;
		return { facts, costs: list, advice };
	}

	const made = new Map();

	return { rules, of(side) {
		if (!made.has(side))
			made.set(side, make(side));
		return made.get(side);
	} };
})();
