/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_timeline.js - when work ran: all of it by operator in bins, some phases kernel by kernel.
 *
 * Bins know operators, not modules; under a filter by module they are grey and kernels speak.
 */
"use strict";

T.timeline = (() => {
	const doc = T.data.document;
	const decoded = new Map();

	/* Of each operator in a lane: what ran until the begin of each bin, in bins. */
	function cumulated(lane) {
		if (decoded.has(lane))
			return decoded.get(lane);
		const series = Object.entries(lane.series).map(([name, values]) => {
			const sums = new Float64Array(lane.bins + 1);
			let bin = 0, sum = 0;

			for (const v of values) {
				for (let n = v < 0 ? -v : 1; n && bin < lane.bins; n--) {
					sum += v < 0 ? 0 : v / 1000;
					sums[++bin] = sum;
				}
			}
			while (bin < lane.bins)
				sums[++bin] = sum;
			return { operator: T.data.operatorIds.get(name), sums, total: sum };
		});

		series.sort((a, b) => b.total - a.total);
		decoded.set(lane, series);
		return series;
	}

	/* The share of [from, to) that an operator worked. */
	function share(lane, sums, from, to) {
		const at = (time) => {
			const bin = Math.max(0, Math.min(lane.bins, (time - lane.begin) / lane.width));
			const low = Math.floor(bin), high = Math.min(lane.bins, low + 1);

			return sums[low] + (bin - low) * (sums[high] - sums[low]);
		};
		return (at(to) - at(from)) * lane.width / (to - from);
	}

	/* Rows with absolute begins. */
	function rowsOf(detail) {
		const begins = new Float64Array(detail.entry.length);
		let at = detail.begin + (detail.first[0] || 0);

		detail.since.forEach((since, i) => {
			at += since;
			begins[i] = at;
		});
		return begins;
	}

	const begins = new Map();

	return {
		cumulated, share,
		begins(detail) {
			if (!begins.has(detail))
				begins.set(detail, rowsOf(detail));
			return begins.get(detail);
		},
		name(detail) {
			return detail.is_all ? "every launch" : detail.group === null ? "a stretch of launches"
				: `${T.data.groups[detail.group].name} ${detail.index}`;
		},
		lanes: (side) => doc.lanes.filter((l) => side === null || l.side === side).slice(0, 16),
	};
})();

T.views.push({ id: "timeline", name: "Timeline", render(box, filter) {
	const { el } = T.parts;
	const D = T.data, f = T.format, doc = D.document, p = doc.phases;
	const lanes = T.timeline.lanes(filter.side);

	if (!lanes.length)
		return void T.parts.add(box, T.parts.empty("No times of work in this trace."));

	const inside = filter.node ? D.below(filter.node) : null;
	const first = d3.min(lanes, (l) => l.begin), last = d3.max(lanes, (l) => l.end);
	const left = 96, right = 10, top = 22, bandHeight = 20, gap = 16;
	/* One GPU has more room than each of several. */
	const areaHeight = lanes.length > 1 ? 96 : 150, rowHeight = lanes.length > 1 ? 18 : 26;
	const baseline = rowHeight / 2 + 4;
	const canvas = el("canvas", { tabindex: "0", role: "img",
		"aria-label": "Timeline: arrow keys move, plus and minus zoom, 0 shows everything" });
	const panel = el("div");
	const width = T.parts.width(box);

	/* --- where things are --- */

	const layout = [];
	let height = top;

	for (const lane of lanes) {
		const id = doc.lanes.indexOf(lane);
		const details = doc.details.filter((d) => d.stream.some((s) => doc.streams.lane[s] === id));
		const streams = [...new Set(details.flatMap((d) => d.stream))]
			.filter((s) => doc.streams.lane[s] === id).sort((a, b) => a - b).slice(0, 6);
		const y = height;

		height += (lanes.length > 1 ? 18 : 0) + bandHeight + areaHeight + 4 +
			(streams.length ? 14 + rowHeight * streams.length : 0) + gap;
		layout.push({ lane, id, details, streams, y: y + (lanes.length > 1 ? 18 : 0),
			phases: d3.range(p.begin.length).filter((i) => p.side[i] === lane.side &&
				p.pid[i] === lane.pid) });
	}

	const scale = window.devicePixelRatio || 1;

	canvas.width = width * scale;
	canvas.height = height * scale;
	canvas.style.height = height + "px";
	const all = d3.scaleLinear().domain([first, last > first ? last : first + 1])
		.range([left, width - right]);
	let x = all.copy(), hovered = null, selected = null;

	const bandY = (l) => l.y, areaY = (l) => l.y + bandHeight + 2;
	const launchY = (l) => areaY(l) + areaHeight + 4, streamY = (l, n) => launchY(l) + 14 + n * rowHeight;

	function laneName(l) {
		const side = D.sides.length > 1 ? D.sides[l.lane.side].name + ", " : "";

		return side + (doc.is_host_time ? "" : `GPU ${l.lane.device} `) + `of process ${l.lane.pid}`;
	}

	/* --- drawing --- */

	const colours = D.operators.map((o) => T.parts.computed(o.name));
	const ink = T.parts.computed("ink"), soft = T.parts.computed("ink-soft"),
		line = T.parts.computed("line"), panelColour = T.parts.computed("panel"),
		paper = T.parts.computed("paper"), accent = T.parts.computed("accent"),
		faded = T.parts.computed("idle-line");
	const c = canvas.getContext("2d");

	function text(string, at, y, room, colour) {
		c.fillStyle = colour;
		if (room !== undefined && c.measureText(string).width > room) {
			const letters = Math.floor(room / 6.2) - 1;

			if (letters < 2)
				return;
			string = string.slice(0, letters) + "\u2026";
		}
		c.fillText(string, at, y);
	}

	function drawAxis() {
		const span = x.domain()[1] - x.domain()[0];

		c.font = "12px system-ui, sans-serif";
		c.textAlign = "center";
		const ticks = x.ticks(Math.max(3, Math.floor(width / 130)));
		/* Far into a run a moment has more digits than there is room: neighbours count from the first. */
		const isFar = x.domain()[0] > 50 * span;

		for (const tick of ticks) {
			const at = Math.round(x(tick)) + 0.5;

			c.textAlign = at > width - 50 ? "right" : at < 50 ? "left" : "center";
			c.strokeStyle = line;
			c.beginPath();
			c.moveTo(at, top - 4);
			c.lineTo(at, height - gap);
			c.stroke();
			text(tick === 0 ? "0" : !isFar ? precise(tick, span) : tick === ticks[0]
				? f.moment(tick, span) : "+" + precise(tick - ticks[0], span), at, 12, undefined, soft);
		}
		c.textAlign = "left";
	}

	/* With as many digits as neighbours need to differ. */
	function precise(ns, span) {
		const [unit, name] = span > 3e9 ? [1e9, "s"] : span > 3e6 ? [1e6, "ms"] : [1e3, "\u00b5s"];
		const digits = Math.max(0, Math.ceil(-Math.log10(span / unit / 5)));

		return (ns / unit).toFixed(Math.min(6, digits)) + " " + name;
	}

	function drawPhases(l) {
		c.font = "12px system-ui, sans-serif";
		text("phases", 4, bandY(l) + 14, left - 8, soft);
		for (const i of l.phases) {
			const from = Math.max(left, x(p.begin[i])), to = Math.min(width - right, x(p.end[i]));

			if (to <= left || from >= width - right)
				continue;
			const off = filter.group !== null && filter.group !== p.group[i];

			c.fillStyle = accent;
			c.globalAlpha = off ? 0.1 : p.index[i] % 2 ? 0.34 : 0.22;
			c.fillRect(from, bandY(l), Math.max(0.7, to - from - 0.5), bandHeight);
			c.globalAlpha = 1;
			if (to - from > 24)
				text(phaseName(i), from + 4, bandY(l) + 14, to - from - 6, off ? soft : ink);
		}
	}

	function phaseName(i) {
		const name = D.groups[p.group[i]].name;

		return D.groups[p.group[i]].count > 1 || p.count[i] > 1
			? `${name} ${p.index[i]}${p.count[i] > 1 ? "\u2013" + (p.index[i] + p.count[i] - 1) : ""}`
			: name;
	}

	function isOn(time) {
		return filter.group === null || phasesOn.some((s) => time >= s[0] && time < s[1]);
	}

	const phasesOn = d3.range(p.begin.length).filter((i) => p.group[i] === filter.group)
		.map((i) => [p.begin[i], p.end[i]]);

	function drawArea(l) {
		const series = T.timeline.cumulated(l.lane);
		const y = areaY(l);

		c.fillStyle = panelColour;
		c.fillRect(left, y, width - left - right, areaHeight);
		for (let px = left; px < width - right; px++) {
			const from = x.invert(px), to = x.invert(px + 1);
			let at = y + areaHeight;

			if (to <= l.lane.begin || from >= l.lane.end)
				continue;
			const on = isOn((from + to) / 2);

			for (const s of series) {
				const h = Math.min(at - y, areaHeight * T.timeline.share(l.lane, s.sums, from, to));

				if (h <= 0)
					continue;
				const off = !on || inside || (filter.operator !== null && filter.operator !== s.operator);

				c.fillStyle = off ? faded : colours[s.operator];
				c.globalAlpha = off ? 0.35 : 1;
				c.fillRect(px, at - h, 1, h);
				at -= h;
			}
		}
		c.globalAlpha = 1;
		c.font = "12px system-ui, sans-serif";
		text(doc.is_host_time ? "launching" : "GPU busy", 4, y + 12, left - 8, soft);
		c.font = "11px system-ui, sans-serif";
		text("100 %", 4, y + 26, left, soft);
		text("0 %", 4, y + areaHeight, left, soft);
	}

	function isDetailOn(detail, i) {
		const e = detail.entry[i];

		return (filter.operator === null || D.entries.operator[e] === filter.operator) &&
			(!inside || inside[detail.node[i]]) && (filter.group === null ||
			(detail.is_all ? detail.phase[i] : detail.group) === filter.group);
	}

	function drawDetails(l) {
		let drawn = false;

		if (!l.streams.length)
			return;
		c.font = "11px system-ui, sans-serif";
		text("CPU launches", 4, launchY(l) + 10, left - 4, soft);
		l.streams.forEach((s, n) => text(l.streams.length > 1 ? `stream ${doc.streams.stream[s]}`
			: "kernels", 4, streamY(l, n) + baseline, left - 8, soft));
		for (const detail of l.details) {
			const begins = T.timeline.begins(detail);

			if (x(detail.end) - x(detail.begin) < 6 || x(detail.end) < left ||
				x(detail.begin) > width - right)
				continue;
			drawn = true;
			c.fillStyle = panelColour;
			const a = Math.max(left, x(detail.begin)), b = Math.min(width - right, x(detail.end));

			c.fillRect(a, launchY(l), b - a, 14 + rowHeight * l.streams.length);
			for (let i = 0; i < begins.length; i++)
				drawRow(l, detail, begins, i);
		}
		if (!drawn && l.details.length)
			text("Zoom in on " + l.details.slice(0, 3).map(T.timeline.name).join(", ") +
				" to see its launches one by one.", left + 6, streamY(l, 0) + baseline, undefined, soft);
	}

	function drawRow(l, detail, begins, i) {
		const n = l.streams.indexOf(detail.stream[i]);
		const from = x(begins[i]), to = x(begins[i] + detail.duration[i]);

		if (n < 0)
			return;
		const on = isDetailOn(detail, i);
		const operator = D.entries.operator[detail.entry[i]];

		if (detail.ahead[i] !== null) {
			const launch = x(begins[i] - detail.ahead[i]);

			if (launch >= left && launch < width - right) {
				c.fillStyle = on ? colours[operator] : faded;
				c.fillRect(launch, launchY(l) + 1, 1, 11);
			}
		}
		if (to < left || from > width - right)
			return;
		const a = Math.max(left, from), b = Math.min(width - right, Math.max(to, from + 0.6));

		c.fillStyle = on ? colours[operator] : faded;
		c.globalAlpha = on ? 1 : 0.35;
		c.fillRect(a, streamY(l, n) + 1, Math.max(0.6, b - a - (b - a > 3 ? 0.6 : 0)), rowHeight - 2);
		c.globalAlpha = 1;
		if (b - a > 34) {
			c.font = "11px system-ui, sans-serif";
			text(D.kernelName(D.entries.kernel[detail.entry[i]]), a + 3, streamY(l, n) + baseline, b - a - 6,
				T.parts.inkOn(on ? colours[operator] : faded));
		}
	}

	function drawChosen(chosen) {
		if (!chosen)
			return;
		const { l, detail, i } = chosen, begins = T.timeline.begins(detail);
		const n = l.streams.indexOf(detail.stream[i]);
		const a = x(begins[i]), b = x(begins[i] + detail.duration[i]);

		c.strokeStyle = ink;
		c.lineWidth = 2;
		c.strokeRect(a, streamY(l, n) + 1, Math.max(2, b - a), rowHeight - 2);
		c.lineWidth = 1;
		if (detail.ahead[i] !== null) {
			c.beginPath();
			c.moveTo(x(begins[i] - detail.ahead[i]), launchY(l) + 12);
			c.lineTo(a, streamY(l, n) + 1);
			c.stroke();
		}
	}

	function draw() {
		c.setTransform(scale, 0, 0, scale, 0, 0);
		c.clearRect(0, 0, width, height);
		c.fillStyle = paper;
		c.fillRect(0, 0, width, height);
		drawAxis();
		for (const l of layout) {
			c.font = "600 12px system-ui, sans-serif";
			if (lanes.length > 1)
				text(laneName(l), 4, l.y - 5, width, ink);
			drawPhases(l);
			drawArea(l);
			drawDetails(l);
		}
		/* What lies left of the lanes covers what was drawn there. */
		drawChosen(hovered);
		drawChosen(selected);
	}

	let waiting = false;

	function drawSoon() {
		if (waiting)
			return;
		waiting = true;
		requestAnimationFrame(() => {
			waiting = false;
			draw();
		});
	}

	/* --- zoom --- */

	const most = Math.max(2, (last - first) / 2000);
	const zoom = d3.zoom().scaleExtent([1, most])
		.translateExtent([[left, 0], [width - right, height]])
		.extent([[left, 0], [width - right, height]])
		.filter(() => !d3.event.button && (d3.event.type !== "wheel" || d3.event.ctrlKey ||
			d3.event.shiftKey || document.activeElement === canvas))
		.on("zoom", () => {
			x = d3.event.transform.rescaleX(all);
			canvas.dataset.from = x.domain()[0];
			canvas.dataset.to = x.domain()[1];
			drawSoon();
			if (d3.event.sourceEvent || d3.event.transform.k !== 1)
				remember();
		});
	const selection = d3.select(canvas).call(zoom);

	const remember = (() => {
		let timer = 0;

		return () => {
			clearTimeout(timer);
			timer = setTimeout(() => {
				if (canvas.isConnected)
					T.state.set({ zoom: x.domain().map((t) => Math.round(t)).join("-") }, true);
			}, 250);
		};
	})();

	function show(from, to, quick) {
		const span = Math.max(to - from, 1), k = Math.min(most, (last - first) / span);
		/* k x + b maps all(from) to left. */
		const transform = d3.zoomIdentity.translate(left - k * all(from), 0).scale(k);

		if (quick)
			selection.call(zoom.transform, transform);
		else
			selection.transition().duration(350).call(zoom.transform, transform);
	}

	function showDetail(detail) {
		const room = 0.02 * (detail.end - detail.begin);

		show(detail.begin - room, detail.end + room);
	}

	function showAll() {
		T.state.set({ zoom: null }, true);
		show(first, last);
	}

	/* --- what is under the pointer --- */

	function hit(event) {
		const box = canvas.getBoundingClientRect();
		const px = event.clientX - box.left, py = event.clientY - box.top, time = x.invert(px);
		const l = layout.find((one) => py >= bandY(one) &&
			py < launchY(one) + 14 + rowHeight * one.streams.length);

		if (!l || px < left)
			return null;
		if (py < bandY(l) + bandHeight) {
			const i = l.phases.find((k) => time >= p.begin[k] && time <= p.end[k]);

			return i === undefined ? null : { l, phase: i };
		}
		if (py < areaY(l) + areaHeight)
			return { l, time, from: x.invert(px - 1), to: x.invert(px + 2) };
		const row = l.streams[Math.floor((py - streamY(l, 0)) / rowHeight)];

		for (const detail of row === undefined ? [] : l.details) {
			const begins = T.timeline.begins(detail);
			const slack = x.invert(2) - x.invert(0);

			for (let i = d3.bisect(begins, time + slack) - 1; i >= 0 && begins[i] > time - 1e9; i--)
				if (detail.stream[i] === row && begins[i] + detail.duration[i] + slack >= time)
					return { l, detail, i };
		}
		return null;
	}

	function describe(h) {
		if (h.phase !== undefined) {
			const i = h.phase, span = p.end[i] - p.begin[i];

			return [phaseName(i), [f.time(span), `from ${f.time(p.begin[i])} on`],
				["GPU busy", `${f.time(p.busy[i])}, idle ${f.share(Math.max(0, 1 - p.busy[i] / span))}`],
				f.plural(p.launches[i], "launch", "launches"), "click to zoom in"];
		}
		if (h.detail) {
			const { detail, i } = h, e = detail.entry[i];

			return [D.kernelName(D.entries.kernel[e]),
				f.words(D.operators[D.entries.operator[e]].name) + ", " + f.time(detail.duration[i]),
				["in", D.nodePath(detail.node[i]).slice(-3).map((n) => D.nodes.label[n]).join(" / ")],
				detail.ahead[i] === null ? null : ["launched", f.time(detail.ahead[i]) + " before"],
				"click to keep it below"];
		}
		const shares = T.timeline.cumulated(h.l.lane).map((s) => ({ ...s,
			share: T.timeline.share(h.l.lane, s.sums, h.from, h.to) })).filter((s) => s.share > 0.001)
			.sort((a, b) => b.share - a.share);

		return [`at ${f.time(h.time)}: GPU ${shares.length ? f.share(d3.sum(shares, (s) => s.share))
			: "0 %"} busy`, ...shares.slice(0, 6).map((s) =>
			[f.words(D.operators[s.operator].name), f.share(s.share)])];
	}

	function showSelected() {
		panel.replaceChildren();
		if (!selected)
			return;
		const { detail, i } = selected, e = detail.entry[i];

		panel.append(el("h2", {}, D.kernelName(D.entries.kernel[e])), T.kernels.explain(e, [
			["ran for", f.time(detail.duration[i])],
			["launched", detail.ahead[i] === null ? "not known" : f.time(detail.ahead[i]) +
				" before it began"],
			["place", D.nodePath(detail.node[i]).map((n) => D.nodes.label[n]).join(" / ")],
		]));
	}

	canvas.addEventListener("mousemove", (event) => {
		const h = hit(event);

		hovered = h && h.detail ? h : null;
		canvas.style.cursor = h ? "pointer" : "grab";
		if (h)
			T.parts.showTip(event, describe(h));
		else
			T.parts.hideTip();
		drawSoon();
	});
	canvas.addEventListener("mouseleave", () => {
		hovered = null;
		T.parts.hideTip();
		drawSoon();
	});
	canvas.addEventListener("click", (event) => {
		const h = hit(event);

		if (h && h.phase !== undefined)
			show(p.begin[h.phase], p.end[h.phase]);
		selected = h && h.detail ? h : null;
		showSelected();
		drawSoon();
	});
	canvas.addEventListener("keydown", (event) => {
		const [from, to] = x.domain(), span = to - from;
		const moves = { ArrowLeft: [-0.2, -0.2], ArrowRight: [0.2, 0.2], "+": [0.2, -0.2],
			"=": [0.2, -0.2], ArrowUp: [0.2, -0.2], "-": [-0.35, 0.35], ArrowDown: [-0.35, 0.35] };
		const move = moves[event.key];

		if (event.key === "0" || event.key === "Home") {
			showAll();
		} else if (move && !event.ctrlKey && !event.metaKey) {
			show(Math.max(first, from + move[0] * span), Math.min(last, to + move[1] * span), true);
		} else {
			return;
		}
		event.preventDefault();
		event.stopPropagation();
	});

	/* --- the rest of the view --- */

	const details = doc.details.filter((d) => filter.side === null || d.side === filter.side);

	T.parts.add(box, el("div.controls", {}, el("button", { onclick: showAll }, "Whole run"),
		details.length ? el("span.soft", {}, "Launch by launch:") : null,
		details.slice(0, 12).map((d) => el("button", { "data-detail": doc.details.indexOf(d),
			onclick: () => showDetail(d) },
		(D.sides.length > 1 ? D.sides[d.side].name + ": " : "") + T.timeline.name(d) +
			` (${f.count(d.entry.length)}` +
			(d.left_out ? ` of ${f.count(d.entry.length + d.left_out)}` : "") +
			" kernels and copies)"))),
	el("figure", {}, canvas, el("figcaption", {}, "Drag to move; wheel with Ctrl or Shift, or ",
		el("kbd", {}, "+"), " ", el("kbd", {}, "\u2212"), " ", el("kbd", {}, "\u2190"), " ",
		el("kbd", {}, "\u2192"), " after a click, to zoom and move. Height is the share of time that " +
		"the GPU worked, over at least " + f.time(d3.max(lanes, (l) => l.width)) + "; the rest is idle. " +
		(details.some((d) => d.group !== null && !d.is_all) ? "Of each sort of phase the one of median " +
			"length is kept launch by launch." : details.some((d) => d.is_all)
			? "Every launch is kept one by one." : details.length
				? "A stretch is kept launch by launch." : ""))),
	inside ? el("p.soft", {}, "Bars are of all modules, so they are grey; launches of " +
		D.nodes.label[filter.node] + " have their colours.") : null,
	T.parts.legend(D.by(D.rowsOf(filter, "operator"), D.keys.operator).map((s) => s.key)), panel);

	function phaseTable() {
		const rows = d3.range(p.begin.length).filter((i) =>
			(filter.side === null || p.side[i] === filter.side) &&
			(filter.group === null || p.group[i] === filter.group));

		if (!rows.length)
			return null;
		const spans = rows.map((i) => p.end[i] - p.begin[i]);
		const moment = (i) => f.moment(p.begin[i], d3.quantile(spans.slice().sort((a, b) => a - b), 0.25));

		return [el("h2", {}, "Phases over time"), T.parts.table({ id: "steps", rows, sort: "begin",
			up: true, limit: 25, columns: [
				{ key: "name", label: "phase", class: "text", value: (i) => phaseName(i),
					cell: (i) => el("button", { onclick: () => {
						show(p.begin[i], p.end[i]);
						canvas.scrollIntoView({ block: "nearest" });
					} }, phaseName(i)) },
				...(D.sides.length > 1 ? [{ key: "side", label: "trace", class: "text",
					value: (i) => D.sides[p.side[i]].name }] : []),
				{ key: "begin", label: "begins at", value: (i) => p.begin[i],
					text: moment },
				{ key: "span", label: "duration", value: (i) => p.end[i] - p.begin[i],
					text: (i) => f.time(p.end[i] - p.begin[i]) },
				{ key: "busy", label: "GPU busy", value: (i) => p.busy[i], text: (i) => f.time(p.busy[i]) },
				{ key: "idle", label: "idle", value: (i) => 1 - p.busy[i] / (p.end[i] - p.begin[i]),
					text: (i) => f.share(Math.max(0, 1 - p.busy[i] / (p.end[i] - p.begin[i]))) },
				{ key: "launches", label: "launches", value: (i) => p.launches[i],
					text: (i) => f.count(p.launches[i]) },
			] })];
	}

	T.parts.add(box, ...(phaseTable() || []));
	const asked = /^(-?\d+)-(-?\d+)$/.exec(T.state.get("zoom") || "");

	if (asked && Number(asked[2]) > Number(asked[1]))
		show(Number(asked[1]), Number(asked[2]), true);
	else if (phasesOn.length)
		show(d3.min(phasesOn, (s) => s[0]), d3.max(phasesOn, (s) => s[1]), true);
	draw();
} });
