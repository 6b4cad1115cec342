/** How long a new connection takes, where it is told by a poll or by what came before.
 * @param {Facts} facts
 * @returns {number} ms */
export function getDelay({ poll, delay }: Facts): number;
/** What one answer shows holds for those that show less: a page cannot read some refusals of the
 * gateway, and what a cache says of a handshake may be of another one.
 * @param {Facts} facts
 * @returns {Facts} */
export function settle(facts: Facts): Facts;
/** @param {Facts} found
 * @returns {Verdict} */
export function judge(found: Facts): Verdict;
/** The whole as text, to be forwarded.
 * @param {string} url @param {Verdict} verdict @param {string} [via] */
export function writeReport(url: string, { verdict, transports, evidence }: Verdict, via?: string): string;
export type Answer = import("./explain.js").Answer;
/**
 * missing: in what there is none, `browser` or `program`; ms from the beginning; status: of the
 * refusal, where it can be seen; connect: a proxy's to CONNECT; seen: by the gateway (PROTOCOL.md,
 * probing); plain: to the same without an upgrade; bye: why the gateway ended it.
 */
export type WebSocketFacts = {
    missing?: string;
    handshake?: number;
    open?: number;
    small?: number;
    large?: number;
    foreign?: boolean;
    ended?: number;
    status?: number;
    connect?: boolean;
    error?: string;
    bye?: string;
    ms: number;
    seen?: string;
    plain?: Answer;
    before?: WebSocketFacts;
};
/**
 * missing: in what no stream can be read; echo: of what is sent beside it; next: of the stream
 * that takes its place; bye: why the gateway ended it.
 */
export type StreamFacts = Answer & {
    missing?: string;
    open?: number;
    mark?: number;
    foreign?: boolean;
    ended?: number;
    bye?: string;
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
 * cut: ms of silence after which it ended; silent: it did not end, and nothing came; watched: ms.
 */
export type IdleFacts = {
    cut?: number;
    silent?: boolean;
    status?: number;
    watched: number;
};
/**
 * repeat: to a second short poll; post: to one by POST, where a cache answers those by GET;
 * delay: ms until the answer on a first connection, where one was made before all this.
 */
export type Facts = {
    url: string;
    via?: string;
    token?: boolean;
    delay?: number;
    gateway: Answer;
    head: Answer;
    websocket: WebSocketFacts;
    sse: StreamFacts;
    stream: StreamFacts;
    poll: Answer;
    repeat?: Answer;
    longpoll: HeldFacts;
    post?: Answer;
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
