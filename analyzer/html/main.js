/* SPDX-License-Identifier: Apache-2.0 */
/* main.js - tabs, filters, keys, light and dark, paper. */
"use strict";

T.main = (() => {
	const { el } = T.parts;
	const D = T.data, f = T.format, doc = D.document;
	const views = T.views.filter((v) => !v.needs || D.sides.length >= v.needs);
	const boxes = new Map(), drawn = new Map();
	const tabs = document.getElementById("tabs"), main = document.getElementById("views");
	const filters = document.getElementById("filters");

	/* --- views --- */

	function current() {
		return views.find((v) => v.id === T.state.get("view")) || views[0];
	}

	/* What a view depends on; searches and sorting it does by itself. */
	function stateKey() {
		return T.state.hash().replace(/(^#|&)(view|find_[a-z]+|sort_[a-z]+|zoom)=[^&]*/g, "");
	}

	function drawView(view) {
		const box = boxes.get(view);

		T.parts.hideTip();
		box.replaceChildren();
		try {
			view.render(box, T.state.filter());
		} catch (e) {
			console.error(e);
			T.parts.add(box, T.parts.empty(`This view failed: ${e.message}`));
		}
		drawn.set(view, stateKey());
	}

	function update(force) {
		const view = current();

		for (const v of views) {
			boxes.get(v).hidden = v !== view;
			v.tab.setAttribute("aria-selected", String(v === view));
			v.tab.tabIndex = v === view ? 0 : -1;
		}
		showTab(view.tab);
		drawFilters();
		if (force || drawn.get(view) !== stateKey())
			drawView(view);
	}

	/* Where not all tabs have room. */
	function showTab(tab) {
		const left = tab.offsetLeft - tabs.offsetLeft;

		if (left < tabs.scrollLeft || left + tab.offsetWidth > tabs.scrollLeft + tabs.clientWidth)
			tabs.scrollLeft = left - 40;
	}

	function open(view) {
		T.state.set({ view: view === views[0] ? null : view.id });
		scrollTo(0, 0);
	}

	function keyInTabs(event) {
		const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];

		if (!step)
			return;
		const next = views[(views.indexOf(current()) + step + views.length) % views.length];

		open(next);
		next.tab.focus();
		event.preventDefault();
	}

	/* --- filters --- */

	function choice(label, param, value, options) {
		return el("label" + (value !== null ? ".is-set" : ""), {}, label, el("select", {
			"data-filter": param,
			onchange: (e) => T.state.set({ [param]: e.target.value || null, zoom: null }),
		}, el("option", { value: "" }, "all"), options.map(([v, text, is]) =>
			el("option", { value: v, selected: is }, text))));
	}

	/* Places that are worth a line in a list, with their depth. */
	function places(chosen) {
		const { sums } = D.byNode(D.rowsOf(T.state.filter(), "node"));
		const list = d3.range(1, D.nrNodes).filter((n) => sums[n].time >= 0.01 * sums[0].time || n === chosen);
		const top = new Set(list.sort((a, b) => sums[b].time - sums[a].time).slice(0, 60));

		if (chosen)
			top.add(chosen);
		const ordered = [];

		(function walk(node, depth) {
			for (const child of D.children[node]) {
				if (top.has(child))
					ordered.push([child, depth]);
				walk(child, top.has(child) ? depth + 1 : depth);
			}
		})(0, 0);
		return ordered.map(([n, depth]) => [n, "\u00a0\u00a0".repeat(Math.min(depth, 8)) +
			D.nodes.label[n], n === chosen]);
	}

	function drawFilters() {
		const filter = T.state.filter(), focused = document.activeElement &&
			document.activeElement.dataset ? document.activeElement.dataset.filter : null;
		const total = D.total(D.rowsOf(filter));
		const groups = D.by(D.rowsOf(filter, "group"), D.keys.group).map((s) => s.key)
			.sort((a, b) => a - b);
		const operators = D.by(D.rowsOf(filter, "operator"), D.keys.operator).map((s) => s.key);

		for (const [list, value] of [[groups, filter.group], [operators, filter.operator]])
			if (value !== null && !list.includes(value))
				list.push(value);
		filters.replaceChildren(
			...(D.sides.length > 1 ? [choice("Trace", "trace", filter.side, D.sides.map((s) =>
				[s.id, s.name, s.id === filter.side]))] : []),
			choice("Phase", "phase", filter.group, groups.map((g) => [g, D.groups[g].name +
				(D.groups[g].count > 1 ? ` (${D.groups[g].count})` : ""), g === filter.group])),
			choice("Module", "module", filter.node, places(filter.node)),
			choice("Operator", "operator", filter.operator, operators.map((o) =>
				[D.operators[o].name, f.words(D.operators[o].name), o === filter.operator])),
			...(T.state.isFiltered() ? [el("button", { id: "clear", onclick: T.state.clear,
				title: "All filters off (Esc)" }, "\u2715 clear")] : []),
			el("span.sum", { role: "status" }, `${f.time(total.time)} of ${f.time(doc.time_ns)} ` +
				`${D.timeWord}, ${f.plural(total.launches, "launch", "launches")}`));
		if (focused) {
			const again = filters.querySelector(`[data-filter="${focused}"]`);

			if (again)
				again.focus();
		}
	}

	/* --- what should be known before anything is believed --- */

	function notice() {
		const texts = [];

		if (doc.run.damaged)
			texts.push("The trace is damaged; what is whole of it is shown.");
		if (doc.is_host_time)
			texts.push("GPU times were not recorded: all times are those of the CPU in launching calls.");
		if (doc.losses.length)
			texts.push("Not everything was recorded: " + doc.losses.map((l) =>
				`${f.count(l.count)} \u00d7 ${l.cause} (${l.meaning})`).join(", ") + ".");
		if (doc.chosen.focus)
			texts.push(`Only modules that match \u201c${doc.chosen.focus}\u201d are in this report (--focus).`);
		if (doc.chosen.phases !== null)
			texts.push("Only some phases are in this report (--phase).");
		document.getElementById("notice").textContent = texts.join(" ");
	}

	/* --- light and dark --- */

	const root = document.documentElement;
	const prefersDark = matchMedia("(prefers-color-scheme: dark)");

	function store(key, value) {
		try {
			if (value === undefined)
				return localStorage.getItem(key);
			localStorage.setItem(key, value);
		} catch (e) { /* a page from a file may have no storage */ }
		return null;
	}

	function setTheme(theme) {
		root.dataset.theme = theme;
		document.getElementById("theme").textContent = theme === "dark" ? "\u2600" : "\u263e";
	}

	function toggleTheme() {
		const theme = root.dataset.theme === "dark" ? "light" : "dark";

		setTheme(theme);
		store("ttitrace-theme", theme);
		redraw();
	}

	function redraw() {
		drawn.clear();
		update(true);
	}

	/* --- paper: all views, in light colours --- */

	let before = null;

	function toPaper() {
		before = root.dataset.theme;
		setTheme("light");
		for (const view of views) {
			boxes.get(view).hidden = false;
			drawView(view);
		}
	}

	function fromPaper() {
		setTheme(before || "light");
		redraw();
	}

	/* --- keys --- */

	function keyed(event) {
		const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);

		if (event.ctrlKey || event.metaKey || event.altKey)
			return;
		if (event.key === "Escape") {
			if (isTyping)
				event.target.blur();
			else
				T.state.clear();
		} else if (isTyping) {
			return;
		} else if (/^[0-9]$/.test(event.key) && event.key !== "0" && views[Number(event.key) - 1]) {
			open(views[Number(event.key) - 1]);
		} else if (event.key === "/") {
			const input = boxes.get(current()).querySelector("input[type=search]");

			if (!input)
				return;
			input.focus();
		} else if (event.key === "d") {
			toggleTheme();
		} else if (event.key === "?") {
			open(views[views.length - 1]);
		} else {
			return;
		}
		event.preventDefault();
	}

	/* --- start --- */

	function start() {
		const command = String(doc.run.command || "").split(" ")
			.map((w) => w.replace(/^.*\//, "")).join(" ");

		document.title = `${command || "ttitrace"} \u2013 ttitrace`;
		document.getElementById("title").textContent = command;
		document.getElementById("title").title = doc.run.command || "";
		for (const view of views) {
			const box = el("section", { id: "view-" + view.id, role: "tabpanel", "aria-label": view.name });

			boxes.set(view, box);
			main.append(box);
			view.tab = el("button", { role: "tab", id: "tab-" + view.id, "aria-controls": box.id,
				onclick: () => open(view), onkeydown: keyInTabs }, view.name);
			tabs.append(view.tab);
		}
		setTheme(store("ttitrace-theme") || (prefersDark.matches ? "dark" : "light"));
		document.getElementById("theme").addEventListener("click", toggleTheme);
		document.getElementById("help").addEventListener("click", () => open(views[views.length - 1]));
		document.addEventListener("keydown", keyed);
		addEventListener("beforeprint", toPaper);
		addEventListener("afterprint", fromPaper);
		let timer = 0;

		addEventListener("resize", () => {
			clearTimeout(timer);
			timer = setTimeout(redraw, 150);
		});
		T.state.listen(() => update());
		notice();
		update();
		root.dataset.ready = "yes";
	}

	start();
	return { views, open };
})();
