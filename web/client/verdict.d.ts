/** How long a new connection takes to its first answer, as a poll or an earlier request shows.
 * @param {Facts} facts
 * @returns {number} ms, 0 if no poll was answered */
export function getDelay({ poll, delay }: Facts): number;
/** Fills in answers that show less from one that shows more: a page cannot read some refusals of
 * the gateway. Drops what a cache may have said about another handshake.
 * @param {Facts} facts
 * @returns {Facts} */
export function settle(facts: Facts): Facts;
/** Judges what gather() found.
 * @param {Facts} found
 * @returns {Verdict} */
export function judge(found: Facts): Verdict;
/** The verdict as plain text, ready to be forwarded.
 * @param {string} url of the gateway @param {Verdict} verdict
 * @param {string} [via] the forward proxy, as HOST:PORT
 * @returns {string} lines */
export function writeReport(url: string, { verdict, transports, evidence }: Verdict, via?: string): string;
export type Answer = import("./explain.js").Answer;
/**
 * What the probe of the WebSocket saw. All times are ms since the request.
 */
export type WebSocketFacts = {
    /**
     * the program that has no WebSocket
     */
    missing?: string | undefined;
    /**
     * when the handshake was complete
     */
    handshake?: number | undefined;
    /**
     * when the gateway's first frame arrived
     */
    open?: number | undefined;
    /**
     * when the answer to a small frame arrived
     */
    small?: number | undefined;
    /**
     * when the answer to a frame of 4 KB arrived
     */
    large?: number | undefined;
    /**
     * something arrived that the gateway did not send
     */
    foreign?: boolean | undefined;
    /**
     * when the connection ended
     */
    ended?: number | undefined;
    /**
     * of the refusal, if it can be seen
     */
    status?: number | undefined;
    /**
     * the status is a proxy's answer to CONNECT
     */
    connect?: boolean | undefined;
    /**
     * the connection's error code
     */
    error?: string | undefined;
    /**
     * why the gateway ended the connection (PROTOCOL.md, ends)
     */
    bye?: string | undefined;
    /**
     * how long the probe took
     */
    ms: number;
    /**
     * what the gateway saw of the upgrade (PROTOCOL.md, probing)
     */
    seen?: string | undefined;
    /**
     * to the same request without an upgrade
     */
    plain?: import("./explain.js").Answer | undefined;
    /**
     * the first try, which failed
     */
    before?: WebSocketFacts | undefined;
};
/**
 * What the probe of a stream saw. missing: the program that cannot read streams; open, mark,
 * ended: ms since the request; foreign: something arrived that the gateway did not send; bye: why
 * the gateway ended the stream; echo: the answer to a POST beside the stream; next: the stream that
 * takes its place.
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
 * A held poll. hold: ms; told: the answer to another held poll, which a message ended early.
 */
export type HeldFacts = Answer & {
    hold: number;
    told?: Answer;
};
/**
 * A connection that was left idle. cut: ms of silence after which it ended; silent: it did not
 * end, but nothing arrived; status: of the poll's answer; watched: ms.
 */
export type IdleFacts = {
    cut?: number;
    silent?: boolean;
    status?: number;
    watched: number;
};
/**
 * All that the probes saw.
 */
export type Facts = {
    /**
     * of the gateway
     */
    url: string;
    /**
     * a forward proxy
     */
    via?: string | undefined;
    /**
     * the requests carry a token
     */
    token?: boolean | undefined;
    /**
     * ms until the answer on a connection made earlier
     */
    delay?: number | undefined;
    /**
     * to GET /transports
     */
    gateway: Answer;
    /**
     * to GET /probe/head
     */
    head: Answer;
    websocket: WebSocketFacts;
    sse: StreamFacts;
    stream: StreamFacts;
    /**
     * to a short poll
     */
    poll: Answer;
    /**
     * to a second short poll
     */
    repeat?: import("./explain.js").Answer | undefined;
    longpoll: HeldFacts;
    /**
     * to a poll by POST, asked if a cache answers polls by GET
     */
    post?: import("./explain.js").Answer | undefined;
    /**
     * to a POST of 4 KB
     */
    echo: Answer;
    /**
     * by transport
     */
    idle?: Record<string, IdleFacts> | undefined;
};
/**
 * works: the client uses it; degraded: the client uses it, and it has a flaw; dead: it does not.
 */
export type State = "works" | "degraded" | "dead";
/**
 * why: what is wrong and who does it, '' for nothing.
 */
export type Judgement = {
    state: State;
    why: string;
};
/**
 * One observation: what was asked, what came back, after how many ms.
 */
export type Evidence = {
    what: string;
    saw: string;
    ms: number;
};
/**
 * verdict: sentences; transports: by name, as TransportName has them.
 */
export type Verdict = {
    verdict: string;
    transports: Record<string, Judgement>;
    evidence: Evidence[];
};
