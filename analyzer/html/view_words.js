/* SPDX-License-Identifier: Apache-2.0 */
/* view_words.js - what the words and the keys mean. */
"use strict";

T.views.push({ id: "words", name: "Words", render(box) {
	const { el } = T.parts;
	const D = T.data, f = T.format, v = D.document.vocabulary;
	const list = (pairs) => el("dl.words", {}, pairs.map(([k, text]) =>
		[el("dt", {}, k), el("dd", {}, text)]));

	T.parts.add(box, el("h2", {}, "Words"), list([
		["kernel", "a program that runs on the GPU; a model starts thousands of them"],
		["launch", "the CPU asks the GPU to run a kernel, a copy or a fill"],
		["GPU time", "how long kernels ran, added up; where several ran at once it is more than busy"],
		["busy, idle", "between its first and its last kernel, when the GPU had work and when it had none"],
		["operator", "what the model asked for; a change of layout inside a convolution is convolution"],
		["kind", "what a kernel is, by its name"],
		["phase", "a part of the run: text encoding, each denoising step, decoding; by the model's " +
			"outermost modules, by marks of the program, or by the period of launches"],
		["module", "a part of the model, such as one of its layers, by the Python path of each launch"],
		["work (FLOP)", "floating point operations: a multiplication and an addition are two"],
		["of best", "the least time this GPU could need for the known work, by the time of the row"],
		["intensity", "operations by the bytes that must be moved for them: little is limited by memory"],
		["outside phases", "work between phases, such as making the model"],
		["(n smaller)", "places in the tree that are too small for a line; sums count them"],
	]), el("h2", {}, "Operators"), list(D.operators.map((o) =>
		[T.parts.operatorLabel(o.id), o.what])),
	el("h2", {}, "How an operator is known ", el("small", {}, "best first")), list(v.evidences),
	el("h2", {}, "Roles of attention ", el("small", {}, "by shape and place")),
	list(v.roles.map(([k, text]) => [f.words(k), text])),
	el("h2", {}, "Keys"), list([
		[el("kbd", {}, "1"), "and further numbers: the views, in their order"],
		[el("kbd", {}, "/"), "search"],
		[el("kbd", {}, "Esc"), "all filters off"],
		[el("kbd", {}, "d"), "light, dark"],
		[el("kbd", {}, "?"), "this page"],
		[el("span", {}, el("kbd", {}, "+"), " ", el("kbd", {}, "\u2212"), " ", el("kbd", {}, "0")),
			"in the timeline: zoom, show everything"],
		[el("span", {}, el("kbd", {}, "\u2190"), " ", el("kbd", {}, "\u2192"), " ",
			el("kbd", {}, "Enter")), "in the timeline and in the tree: move, go in"],
	]), el("p.soft", {}, "The address of this page holds the view and its filters: a link brings them " +
		"back. Printing prints all views. Drawn with D3 (d3js.org)."));
} });
