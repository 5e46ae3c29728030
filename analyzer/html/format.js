/* SPDX-License-Identifier: Apache-2.0 */
/* format.js - numbers as people read them, always with their unit. */
"use strict";
const T = {};

T.format = (() => {
	const space = "\u00a0";

	function scaled(value, units, digits) {
		let unit = units[units.length - 1];

		for (const u of units)
			if (Math.abs(value) >= 0.9995 * u[0]) {
				unit = u;
				break;
			}
		const n = value / unit[0];
		const fixed = digits !== undefined ? digits
			: Math.abs(n) >= 100 ? 0 : Math.abs(n) >= 10 ? 1 : 2;

		return n.toFixed(unit[0] === 1 && Number.isInteger(n) ? 0 : fixed) + space + unit[1];
	}

	const times = [[1e9, "s"], [1e6, "ms"], [1e3, "\u00b5s"], [1, "ns"]];
	const bytes = [[1e12, "TB"], [1e9, "GB"], [1e6, "MB"], [1e3, "kB"], [1, "bytes"]];
	const flops = [[1e15, "PFLOP"], [1e12, "TFLOP"], [1e9, "GFLOP"], [1e6, "MFLOP"],
		[1e3, "kFLOP"], [1, "FLOP"]];

	/* With a minus that is as wide as a plus. */
	const signed = (digits) => digits.replace("-", "\u2212");

	function share(value) {
		const p = 100 * value;

		if (!isFinite(p))
			return "\u2013";
		if (p > 0 && p < 0.05)
			return "<0.1" + space + "%";
		return signed(p.toFixed(p >= 99.95 && p <= 100 ? 0 : 1)) + space + "%";
	}

	return {
		time: (ns) => ns ? scaled(ns, times) : "0" + space + "s",
		/* With as many digits as moments of one span need to differ. */
		moment(ns, span) {
			const [size, unit] = times.find((t) => Math.abs(ns) >= t[0]) || times[3];
			const digits = Math.max(0, Math.ceil(-Math.log10(span / size / 5)));

			return ns ? (ns / size).toFixed(Math.min(9, digits)) + space + unit : "0" + space + "s";
		},
		/* Of a change: with its sign. */
		change: (ns) => (ns > 0 ? "+" : ns < 0 ? "\u2212" : "\u00b1") +
			(ns ? scaled(Math.abs(ns), times) : "0" + space + "s"),
		bytes: (n) => n ? scaled(n, bytes) : "\u2013",
		flops: (n) => n ? scaled(n, flops) : "\u2013",
		rate: (n) => n ? scaled(n, flops) + "/s" : "\u2013",
		bandwidth: (n) => n ? scaled(n, bytes) + "/s" : "\u2013",
		intensity: (n) => n ? (n >= 100 ? T.format.count(n) : n.toPrecision(2)) + space + "FLOP/byte"
			: "\u2013",
		count: (n) => Math.round(n).toLocaleString("en-US"),
		share, signed,
		ratio: (n) => isFinite(n) && n > 0 ? (n >= 10 ? n.toFixed(0) : n.toFixed(2)) +
			"\u00d7" : "\u2013",
		/* group_norm -> group norm */
		words: (name) => String(name).replace(/_/g, " "),
		plural: (n, one, many) => T.format.count(n) + space + (n === 1 ? one : many || one + "s"),
	};
})();
