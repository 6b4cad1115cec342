export namespace times {
    let race: number;
    let silence: number;
    let check: number;
    let retire: number;
    let beside: number;
    let refused: number;
    let portal: number;
    let young: number;
    let apart: number;
    let heap: number;
    let promote: number[];
}
export class Policy {
    /** @param {{ transports: string[], known?: import('./memory.js').Known, heartbeat?: number,
     * 	hold?: number, times?: Partial<Times>, random?: () => number }} options in order, the
     * 	best first; heartbeat and hold in s */
    constructor({ transports, known, heartbeat, hold, times: changed, random }: {
        transports: string[];
        known?: import("./memory.js").Known;
        heartbeat?: number;
        hold?: number;
        times?: Partial<Times>;
        random?: () => number;
    });
    names: string[];
    patience: Patience;
    times: {
        race: number;
        silence: number;
        check: number;
        retire: number;
        beside: number;
        refused: number;
        portal: number;
        young: number;
        apart: number;
        heap: number;
        promote: number[];
    };
    backoff: Backoff;
    /** The transport in use. */
    get current(): string | null;
    /** It waits since the gateway refuses what is asked of it, whatever the transport. */
    get isRefused(): boolean;
    /** When a tick is due, Infinity for never. */
    get next(): number;
    /** @param {PolicyEvent} event @param {number} now ms
     * @returns {Action[]} */
    step(event: PolicyEvent, now: number): Action[];
    #private;
}
/**
 * reason: why the gateway counts this use; absent for a link that replaces one of its kind
 */
export type OpenAction = {
    do: "open";
    attempt: number;
    transport: string;
    heartbeat?: number;
    reason?: string;
};
export type LinkAction = {
    do: "close" | "check";
    attempt: number;
    why?: string;
};
export type UseAction = {
    do: "use";
    attempt: number;
    from: string | null;
    to: string;
    why: string;
    reason?: string;
};
export type StateAction = {
    do: "state";
    state: string;
    why: string;
    wait?: number;
};
export type RememberAction = {
    do: "remember";
    known: import("./memory.js").Known;
};
export type DiagnoseAction = {
    do: "diagnose";
    transport: string;
};
/**
 * Ask the gateway over plain HTTP. The event `answered` follows: with a status if the gateway
 * refuses, with an empty why if nothing answers.
 */
export type AskAction = {
    do: "ask";
};
export type Action = OpenAction | LinkAction | UseAction | StateAction | RememberAction | DiagnoseAction | AskAction;
/**
 * code: the gateway's; retry: ms that the gateway asks the client to wait; silent: ms without a
 * byte before the end; size: characters that the link carried; excused: the loss says nothing
 * about the transport; damaged: the path lost or altered data; foreign: another server answered
 */
export type Loss = {
    why: string;
    code?: string;
    status?: number;
    retry?: number;
    silent?: number;
    size?: number;
    demote?: boolean;
    foreign?: boolean;
    damaged?: boolean;
    excused?: boolean;
};
/**
 * hold: try nothing until `start`, and excuse what was refused in this race; renew: a link of the
 * same transport has to replace the one in use
 */
export type PolicyEvent = {
    type: "start" | "tick" | "stop" | "renew";
} | {
    type: "wake";
    online?: boolean;
} | {
    type: "hold";
    why: string;
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
} | {
    type: "diagnosed";
    transport: string;
    why: string;
} | ({
    type: "answered";
} & Loss) | ({
    type: "lost";
    attempt: number;
} & Loss);
export type Attempt = {
    id: number;
    name: string;
    began: number;
    at: number;
    passed: Map<string, number>;
    gate: number;
    proven: boolean;
    alive: number;
    interval: number;
    survived: number;
    used: number;
    renews: boolean;
};
export type Entry = {
    level: number;
    next: number;
    young: number;
    damaged: number;
    why: string;
    blocked: number;
    refused?: boolean;
};
/**
 * The client's times, in ms; `silence` is a number of heartbeat intervals.
 */
export type Times = typeof times;
import { Patience } from './patience.js';
import { Backoff } from './backoff.js';
