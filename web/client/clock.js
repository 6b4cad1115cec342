// Two clocks, for what each is good for.

/** For durations: ms that never go back and never jump, whatever is done to the wall clock. It is
 * near wall time, so that what one page has noted means something to another. It may stand still
 * while the machine sleeps. */
export function now() {
	return performance.timeOrigin + performance.now();
}

/** How long ago something was: by the clock that says more, for what must not be taken for
 * younger than it is after a sleep.
 * @param {{ at: number, wall: number }} moment as getMoment() gave it
 * @returns {number} ms */
export function getAge({ at, wall }) {
	return Math.max(now() - at, Date.now() - wall);
}

export function getMoment() {
	return { at: now(), wall: Date.now() };
}
