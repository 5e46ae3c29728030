/* SPDX-License-Identifier: Apache-2.0 */
/* parts.js - what several views are made of: elements, tips, legends, tables. */
"use strict";

T.parts = (() => {
	const f = T.format;

	/* el("p.soft", {title: ...}, child, "text" ...) */
	function el(what, attributes, ...children) {
		const [tag, ...classes] = what.split(".");
		const node = document.createElement(tag);

		if (classes.length)
			node.className = classes.join(" ");
		for (const [key, value] of Object.entries(attributes || {})) {
			if (key.startsWith("on"))
				node.addEventListener(key.slice(2), value);
			else if (key === "style")
				Object.assign(node.style, value);
			else if (value !== null && value !== undefined && value !== false)
				node.setAttribute(key, value === true ? "" : value);
		}
		return add(node, ...children);
	}

	/* Children that are null, undefined or false are none. */
	function add(node, ...children) {
		node.append(...children.flat(4).filter((c) => c !== null && c !== undefined && c !== false));
		return node;
	}

	/* --- tips ---------------------------------------------------------------------------- */

	const tip = document.getElementById("tip");

	/* lines: the first is the name; strings, or [what, value]. */
	function showTip(event, lines) {
		tip.replaceChildren(...lines.filter(Boolean).map((line, i) => Array.isArray(line)
			? el("div", {}, el("span.soft", {}, line[0] + " "), line[1])
			: el(i ? "div" : "div.name", {}, line)));
		tip.hidden = false;
		const box = tip.getBoundingClientRect();
		const x = event.clientX + 14, y = event.clientY + 16;

		tip.style.left = Math.max(4, Math.min(x, innerWidth - box.width - 8)) + "px";
		tip.style.top = (y + box.height > innerHeight - 4
			? Math.max(4, event.clientY - box.height - 10) : y) + "px";
	}

	function hideTip() {
		tip.hidden = true;
	}

	function withTip(selection, lines) {
		return selection
			.on("mousemove", (d, i, all) => showTip(d3.event, lines(d, i, all)))
			.on("mouseleave", hideTip);
	}

	/* --- operators ----------------------------------------------------------------------- */

	const colour = (operator) => `var(--${T.data.operators[operator].name})`;

	/* For canvases: what the variable stands for now. */
	function computed(name) {
		return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
	}

	function swatch(operator) {
		return el("span.swatch", { style: { background: colour(operator) }, "aria-hidden": "true" });
	}

	function operatorLabel(operator) {
		return el("span", { title: T.data.operators[operator].what }, swatch(operator),
			f.words(T.data.operators[operator].name));
	}

	function toggleOperator(operator) {
		T.state.set({ operator: T.state.filter().operator === operator ? null
			: T.data.operators[operator].name });
	}

	function legend(operators) {
		const chosen = T.state.filter().operator;

		return el("div.legend", { "aria-label": "Operators" }, operators.map((operator) =>
			el("button", { title: T.data.operators[operator].what + " - click to filter",
				"aria-pressed": String(chosen === operator),
				onclick: () => toggleOperator(operator) }, operatorLabel(operator))));
	}

	/* Black or white, whichever reads better on the colour of an operator. */
	function inkOn(css) {
		const c = d3.color(css);

		if (!c)
			return "#000";
		const { r, g, b } = c.rgb();

		return 0.299 * r + 0.587 * g + 0.114 * b > 140 ? "#000" : "#fff";
	}

	function empty(text) {
		return el("div.empty", {}, text || "Nothing ran under these filters.");
	}

	/* --- tables -------------------------------------------------------------------------- */

	/*
	 * columns: {key, label, title, value(row), text(row), cell(row), class, sort}; value is what is
	 * sorted by, text what is written, cell an element instead; it is told the most time of a row.  more(row): an element that opens
	 * below the row.  query: the view has a field for searching of that name itself, and calls the
	 * element's search().
	 */
	function table(spec) {
		const page = spec.limit || 50;
		let limit = page;
		const opened = new Set();
		const most = d3.max(spec.rows, (r) => r && r.time);
		const body = el("tbody");
		const foot = el("div.controls");
		const state = () => (T.state.get("sort_" + spec.id) || "").split(".");
		const query = () => (T.state.get("find_" + (spec.query || spec.id)) || "").toLowerCase();

		function sorting() {
			const [key, way] = state();
			const column = spec.columns.find((c) => c.key === key);

			return column ? { column, up: way === "up" }
				: { column: spec.columns.find((c) => c.key === spec.sort) || spec.columns[0],
					up: spec.up || false };
		}

		function compare(a, b) {
			return typeof a === "string" || typeof b === "string"
				? String(a).localeCompare(String(b)) : (a || 0) - (b || 0);
		}

		function shown() {
			const q = query(), { column, up } = sorting();
			const rows = q ? spec.rows.filter((r) => spec.search(r).toLowerCase().includes(q))
				: spec.rows.slice();

			return rows.sort((a, b) => (up ? 1 : -1) * compare(column.value(a), column.value(b)));
		}

		function cells(row) {
			return spec.columns.map((c) => el("td" + (c.class ? "." + c.class : ""), {},
				c.cell ? c.cell(row, most) : c.text ? c.text(row) : String(c.value(row))));
		}

		function toggle(row) {
			if (opened.has(row))
				opened.delete(row);
			else
				opened.add(row);
			fill();
			const again = body.querySelector(`[data-row="${spec.rows.indexOf(row)}"]`);

			if (again)
				again.focus();
		}

		function keyed(event, row) {
			if (event.key !== "Enter" && event.key !== " ")
				return;
			event.preventDefault();
			toggle(row);
		}

		function fill() {
			const rows = shown();

			body.replaceChildren(...rows.slice(0, limit).flatMap((row) => {
				const line = el("tr.row", spec.more ? { tabindex: "0",
					"data-row": spec.rows.indexOf(row),
					"aria-expanded": String(opened.has(row)),
					onclick: (e) => e.target.closest("button,a") || getSelection().toString()
						|| toggle(row),
					onkeydown: (e) => e.target === e.currentTarget && keyed(e, row) } : {},
				cells(row));

				return opened.has(row) ? [line, el("tr.more", {},
					el("td", { colspan: spec.columns.length }, spec.more(row)))] : [line];
			}));
			foot.replaceChildren(...(rows.length > limit ? [
				el("span.soft", {}, `${f.count(limit)} of ${f.count(rows.length)} shown`),
				el("button", { onclick: () => { limit += 200; fill(); } }, "Show more"),
			] : rows.length ? [] : [el("span.soft", {}, "Nothing matches.")]));
			for (const th of head.querySelectorAll("th")) {
				const { column, up } = sorting();

				if (th.dataset.key === column.key)
					th.setAttribute("aria-sort", up ? "ascending" : "descending");
				else
					th.removeAttribute("aria-sort");
			}
		}

		function sortBy(column) {
			const now = sorting();
			const up = now.column === column ? !now.up
				: spec.rows.length > 0 && typeof column.value(spec.rows[0]) === "string";

			T.state.set({ ["sort_" + spec.id]: column.key + "." + (up ? "up" : "down") }, true);
			fill();
		}

		const head = el("thead", {}, el("tr", {}, spec.columns.map((c) =>
			el("th" + (c.class === "name" || c.class === "text" || c.class === "bars" ? ".text" : ""),
				{ "data-key": c.key, title: c.title, scope: "col" },
				el("button", { onclick: () => sortBy(c) }, c.label)))));
		const search = spec.search && !spec.query ? el("div.controls", {}, el("input", { type: "search",
			placeholder: spec.placeholder || "Search", "aria-label": spec.placeholder || "Search",
			value: T.state.get("find_" + spec.id) || "",
			oninput: (e) => {
				T.state.set({ ["find_" + spec.id]: e.target.value }, true);
				limit = page;
				fill();
			} }), spec.controls || null) : null;

		fill();
		return Object.assign(el("div.table", { "data-table": spec.id }, search,
			el("div.scroll", {}, el("table", {}, head, body)), foot), { search() {
			limit = page;
			fill();
		} });
	}

	/* A bar, by default of the whole, and a share, for a column. */
	function shareCell(share, css, length) {
		return el("span", {}, el("span.bar", { style: {
			width: Math.max(0, Math.min(1, length === undefined ? share : length)) * 5.5 + "rem",
			background: css || "var(--accent)" } }), " " + f.share(share));
	}

	/* Columns that many tables share.  total: the time that shares are of. */
	function timeColumns(total, css) {
		return [
			{ key: "time", label: "time", value: (r) => r.time, text: (r) => f.time(r.time),
				title: T.data.timeWord + ", all launches together" },
			{ key: "share", label: "share", class: "bars", value: (r) => r.time,
				title: "of the time under these filters",
				cell: (r, most) => shareCell(total ? r.time / total : 0, css && css(r),
					most ? r.time / most : 0) },
			{ key: "launches", label: "launches", value: (r) => r.launches,
				text: (r) => f.count(r.launches), title: "kernels, copies and fills that ran" },
		];
	}

	/* How near to what the GPU could do at best; null: not known. */
	function efficiency(r) {
		return r.best > 0 && r.time > 0 ? r.best / r.time : null;
	}

	function costColumns() {
		return [
			{ key: "flops", label: "work", value: (r) => r.flops, text: (r) => f.flops(r.flops),
				title: "floating point operations of problems that are known" },
			{ key: "rate", label: "reached", value: (r) => r.flops / r.time || 0,
				text: (r) => f.rate(r.flops / (1e-9 * r.time)), title: "work by time" },
			{ key: "efficiency", label: "of best", value: (r) => efficiency(r) || 0,
				text: (r) => efficiency(r) === null ? "\u2013" : f.share(efficiency(r)),
				title: "the least time this GPU could need for it, by its time" },
			{ key: "bound", label: "limit", class: "text",
				value: (r) => r.best <= 0 ? "" : r.compute >= r.memory ? "compute" : "memory",
				title: "what would limit it at best: arithmetic or memory" },
		];
	}

	function width(node, least) {
		return Math.max(least || 320, node.clientWidth || (node.parentNode && node.parentNode.clientWidth)
			|| 1000);
	}

	return { el, add, showTip, hideTip, withTip, colour, computed, swatch, operatorLabel, toggleOperator,
		legend, inkOn, empty, table, shareCell, timeColumns, costColumns, efficiency, width };
})();
