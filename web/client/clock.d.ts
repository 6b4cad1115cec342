/** A clock for durations, in ms: it never goes back and never jumps when somebody sets the wall
 * clock. It is near wall time, so that pages can compare their times. It may stand still while the
 * machine sleeps. */
export function now(): number;
/** How long ago a moment was, by the clock that says more. So nothing seems younger than it is
 * after a sleep.
 * @param {{ at: number, wall: number }} moment as getMoment() gave it
 * @returns {number} ms */
export function getAge({ at, wall }: {
    at: number;
    wall: number;
}): number;
/** The present moment, for getAge(). */
export function getMoment(): {
    at: number;
    wall: number;
};
