/** The way of one traced request through a process, and what it called from there. Plain data; names come from other processes. */
export interface LanePath {
  /** How the process names itself. */
  readonly service: string
  /** The lane that the instance belongs to; `undefined` for base. */
  readonly ownLane: string | undefined
  /** The lane that the request ran in; `undefined` for none. */
  readonly lane: string | undefined
  /** Where that lane came from: `header`, `baggage`, `mse-baggage`, `own`, `rule tester`; `undefined` without a lane. */
  readonly by: string | undefined
  /** In the order in which they began. */
  readonly calls: readonly PathCall[]
  /** How many calls were left out, because the path is limited. */
  readonly cut: number
}

/** One attempt of an outgoing call, as its caller saw it. */
export interface PathCall {
  /** The service, the host of what is no service, or the topic of a message. */
  readonly target: string
  /** The lane that was asked for; `undefined` for none. */
  readonly lane: string | undefined
  /** The lane that served; `undefined` for base, and where nothing was chosen. */
  readonly served: string | undefined
  /**
   * An outcome of a choice (`lane`, `base`, `fallback-missing`, …), or `forwarded`: a host that is no service got the tag;
   * `out-of-scope`: it did not; `message`: the path ends here.
   */
  readonly outcome: string
  /** `host:port`; `undefined` where none was chosen, and in an answer to an outsider. */
  readonly address: string | undefined
  /** From 1. */
  readonly attempt: number
  /**
   * The status of an HTTP answer, `grpc 0` and so on for gRPC, or what happened instead of an answer: `connect-error`, `reset`,
   * `timeout`, `aborted`, `refused`, `error`; `repeated`: a policy of grpc-js sent the call again, and shows no answer of this
   * attempt; `sent` for a message; `open` for a call that had not ended when the answer began.
   */
  readonly status: number | string
  /** When the attempt began, in ms after the request came. */
  readonly at: number
  /** From the beginning of the attempt to the head of the answer, for gRPC to its end; `undefined` while it is open. */
  readonly ms: number | undefined
  /** What the called process answered about itself; `undefined` where it did not. */
  readonly path: LanePath | undefined
}

/** The header of a request that asks for the path: `1`, or the token of an entrance. */
export const TRACE_HEADER = 'x-laneway-trace'
/** The header, or gRPC trailer, of an answer that holds the path. */
export const PATH_HEADER = 'x-laneway-path'
