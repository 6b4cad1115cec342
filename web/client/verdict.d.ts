/** @param {Facts} facts
 * @returns {Verdict} */
export function judge(facts: Facts): Verdict;
/** The whole as text, to be forwarded.
 * @param {string} url @param {Verdict} verdict @param {string} [via] */
export function writeReport(url: string, { verdict, transports, evidence }: Verdict, via?: string): string;
export const LIMIT_MS: number;
/**
 * The answer to one request. Without `status` there was none: `silent`, or the connection
 * ended; with it, silent says that its end did not come in time, `cut` that it broke off.
 * ours: it is marked by the gateway; good: its body is what the gateway sends; before: it is
 * that of a second try, after this.
 */
export type Answer = {
    ms: number;
    status?: number;
    ours?: boolean;
    good?: boolean;
    type?: string;
    cut?: boolean;
    silent?: boolean;
    error?: string;
    message?: string;
    value?: any;
    encoding?: string;
    before?: Answer;
};
/**
 * ms from the beginning; status: of the refusal, where it can be seen; connect: a proxy's to
 * CONNECT; seen: by the gateway (PROTOCOL.md, probing); plain: to the same without an upgrade.
 */
export type WebSocketFacts = {
    missing?: boolean;
    handshake?: number;
    open?: number;
    small?: number;
    large?: number;
    foreign?: boolean;
    ended?: number;
    status?: number;
    connect?: boolean;
    error?: string;
    ms: number;
    seen?: string;
    plain?: Answer;
    before?: WebSocketFacts;
};
/**
 * echo: of what is sent beside it; next: of the stream that takes its place.
 */
export type StreamFacts = Answer & {
    open?: number;
    mark?: number;
    foreign?: boolean;
    ended?: number;
    echo?: Answer;
    next?: Answer & {
        open?: number;
    };
};
/**
 * hold: ms; told: the answer to another one, for which there was a message.
 */
export type HeldFacts = Answer & {
    hold: number;
    told?: Answer;
};
/**
 * cut: ms of silence after which it ended; watched: ms.
 */
export type IdleFacts = {
    cut?: number;
    status?: number;
    watched: number;
};
export type Facts = {
    url: string;
    via?: string;
    token?: boolean;
    gateway: Answer;
    head: Answer;
    websocket: WebSocketFacts;
    sse: StreamFacts;
    stream: StreamFacts;
    poll: Answer;
    longpoll: HeldFacts;
    echo: Answer;
    idle?: Record<string, IdleFacts>;
};
export type State = "works" | "degraded" | "dead";
export type Judgement = {
    state: State;
    why: string;
};
export type Evidence = {
    what: string;
    saw: string;
    ms: number;
};
export type Verdict = {
    verdict: string;
    transports: Record<string, Judgement>;
    evidence: Evidence[];
};
