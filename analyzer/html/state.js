/* SPDX-License-Identifier: Apache-2.0 */
/* state.js - which view, under which filters; kept in the address, so that a link brings it back. */
"use strict";

T.state = (() => {
	const listeners = [];
	let now = {};

	function read() {
		const state = {};

		for (const part of location.hash.replace(/^#/, "").split("&")) {
			const at = part.indexOf("=");

			if (at > 0)
				try {
					state[decodeURIComponent(part.slice(0, at))] =
						decodeURIComponent(part.slice(at + 1));
				} catch (e) { /* a link that somebody broke */ }
		}
		return state;
	}

	function hash(state) {
		const parts = Object.keys(state)
			.filter((k) => state[k] !== null && state[k] !== undefined && state[k] !== "")
			.map((k) => encodeURIComponent(k) + "=" + encodeURIComponent(state[k]));

		return "#" + parts.join("&");
	}

	/* Values of null go.  quiet: no step in the history. */
	function set(changes, quiet) {
		now = { ...now, ...changes };
		for (const k of Object.keys(now))
			if (now[k] === null || now[k] === undefined || now[k] === "")
				delete now[k];
		const to = hash(now);

		if (to !== location.hash)
			history[quiet ? "replaceState" : "pushState"](null, "", to);
		listeners.forEach((f) => f());
	}

	function number(key, limit) {
		const n = /^\d+$/.test(now[key]) ? Number(now[key]) : NaN;

		return n < limit ? n : null;
	}

	/* The filters, checked: a link may be of another file. */
	function filter() {
		const operator = T.data.operatorIds.get(now.operator);

		return {
			side: number("trace", T.data.sides.length),
			group: number("phase", T.data.groups.length),
			node: number("module", T.data.nrNodes) || null,
			operator: operator === undefined ? null : operator,
		};
	}

	function isFiltered() {
		return Object.values(filter()).some((v) => v !== null);
	}

	const clear = () => set({ trace: null, phase: null, module: null, operator: null });

	now = read();
	window.addEventListener("popstate", () => {
		now = read();
		listeners.forEach((f) => f());
	});
	window.addEventListener("hashchange", () => {
		if (hash(now) === location.hash)
			return;
		now = read();
		listeners.forEach((f) => f());
	});
	return { get: (key) => now[key], set, filter, isFiltered, clear, hash: () => hash(now),
		link: (changes) => hash({ ...now, ...changes }),
		listen: (f) => listeners.push(f) };
})();
