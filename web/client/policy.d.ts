export namespace times {
    let race: number;
    let silence: number;
    let check: number;
    let retire: number;
    let young: number;
    let apart: number;
    let promote: number[];
}
/** @typedef {typeof times} Times */
/** What has to be seen, how many ms after the one before, and what it means if it is not.
 * @type {Record<string, [string, number, string][]>} */
export const gates: Record<string, [string, number, string][]>;
export class Policy {
    /** @param {{ transports: string[], remembered?: string, heartbeat?: number, hold?: number,
     * 	times?: Partial<Times>, random?: () => number }} options in order, the best first;
     * 	heartbeat and hold in s */
    constructor({ transports, remembered, heartbeat, hold, times: changed, random }: {
        transports: string[];
        remembered?: string;
        heartbeat?: number;
        hold?: number;
        times?: Partial<Times>;
        random?: () => number;
    });
    names: string[];
    heartbeat: number | undefined;
    hold: number;
    times: {
        race: number;
        silence: number;
        check: number;
        retire: number;
        young: number;
        apart: number;
        promote: number[];
    };
    backoff: Backoff;
    /** The transport in use. */
    get current(): string | null;
    /** When a tick is due, Infinity for never. */
    get next(): number;
    /** @param {PolicyEvent} event @param {number} now ms
     * @returns {Action[]} */
    step(event: PolicyEvent, now: number): Action[];
    #private;
}
export type OpenAction = {
    do: "open";
    attempt: number;
    transport: string;
    background: boolean;
    heartbeat?: number;
    hold: number;
};
export type LinkAction = {
    do: "close" | "check";
    attempt: number;
};
export type UseAction = {
    do: "use";
    attempt: number;
    from: string | null;
    to: string;
    why: string;
};
export type StateAction = {
    do: "state";
    state: string;
    why: string;
    wait?: number;
};
export type RememberAction = {
    do: "remember";
    transport: string;
    heartbeat?: number;
    hold?: number;
};
export type Action = OpenAction | LinkAction | UseAction | StateAction | RememberAction;
/**
 * retry: ms the gateway asked for; silent: ms without a byte before the end
 */
export type Loss = {
    why: string;
    retry?: number;
    silent?: number;
    demote?: boolean;
};
export type PolicyEvent = {
    type: "start" | "tick" | "stop";
} | {
    type: "wake";
    online?: boolean;
} | {
    type: "stage";
    attempt: number;
    stage: string;
} | {
    type: "alive";
    attempt: number;
    heartbeat?: number;
} | {
    type: "caughtup" | "checked";
    attempt: number;
} | ({
    type: "lost";
    attempt: number;
} & Loss);
export type Attempt = {
    id: number;
    name: string;
    background: boolean;
    at: number;
    passed: Map<string, number>;
    gate: number;
    proven: boolean;
    alive: number;
    interval: number;
    used: number;
};
export type Entry = {
    level: number;
    next: number;
    young: number;
    cut: number;
    why: string;
};
export type Times = typeof times;
import { Backoff } from './backoff.js';
