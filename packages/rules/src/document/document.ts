/**
 * A document of colouring rules. Plain data: YAML, JSON, or an object literal. Its JSON schema is
 * `@laneway/rules/rules.schema.json`.
 */
export interface RulesDocument {
  readonly $schema?: string
  /** The version of the format. */
  readonly version: 1
  /** An empty list is a valid document that gives no lane; an empty file is not valid. */
  readonly rules: readonly Rule[]
}

/** One rule: when its condition holds, it gives a lane, splits callers over lanes, or ends the search. */
export interface Rule {
  /** Unique in the document; metrics and `explain` show it. */
  readonly name: string
  /**
   * The lowest number is tried first. Either every rule has a priority, each a different one, or none has one; then the
   * order of the list counts.
   */
  readonly priority?: number
  /** The condition that must hold. @default every request */
  readonly when?: Condition
  /** The lane of the requests that match; `null` ends the search without a lane. Excludes `split`. */
  readonly lane?: string | null
  /** A sticky share of the requests that match. Callers outside its lanes go on to the next rule. */
  readonly split?: Split
  /**
   * Requests for which this rule decides may ask for their path by `x-laneway-trace: 1`, although an entrance trusts no client.
   * The answer names services and lanes of the inside, so let it match few people.
   * @default false
   */
  readonly trace?: boolean
}

/** A sticky share: `hash(salt, key)` is one of 10,000 slots, and each lane owns a range of them. */
export interface Split {
  /**
   * The same salt and key give the same slot in every process; another salt gives independent slots. Rules with the same
   * salt are one group, in which the ranges of different lanes must not overlap.
   */
  readonly salt: string
  /**
   * Where the caller's key is read: the first one that the request has. A caller without a key stays in base. `random`
   * draws every request anew.
   */
  readonly key: readonly KeySource[] | 'random'
  readonly lanes: readonly SplitLane[]
}

/** One lane of a split. Raising `percent` adds callers to this lane and takes none from another. */
export interface SplitLane {
  readonly lane: string
  /** First slot of the lane's own range, 0 to 9,999. */
  readonly from: number
  /** End of the range, not included, 1 to 10,000. */
  readonly to: number
  /** Share of all callers with a key, 0 to 100 in steps of 0.01. It fills the range from `from` and must fit into it. */
  readonly percent: number
}

/** Where a key is read. */
export type KeySource =
  | 'address'
  | { readonly header: string }
  | { readonly cookie: string }
  | { readonly query: string }

/** A condition has exactly one of these keys. */
export type Condition =
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition }
  | { readonly path: TextTest }
  | { readonly host: TextTest }
  | { readonly method: TextTest }
  | { readonly header: NamedTest }
  | { readonly query: NamedTest }
  | { readonly cookie: NamedTest }
  | { readonly address: AddressTest }

/** Exactly one test of a text. A part that the request does not have passes `exists: false` only. */
export type TextTest =
  /** Equal, case-sensitive. */
  | { readonly exact: string }
  /** Begins with; for `path` by whole segments: `/v2` is not a prefix of `/v2example`. */
  | { readonly prefix: string }
  /** Equal to one of them. */
  | { readonly in: readonly string[] }
  /** A decimal number between the bounds, both included. */
  | { readonly range: { readonly min?: number; readonly max?: number } }
  /** RE2 syntax; the whole text must match. Takes linear time. Texts over 4,096 characters do not match. */
  | { readonly regex: string }
  /** Whether the request has it, even if empty. */
  | { readonly exists: boolean }

/** A test of a header (any case), a query parameter or a cookie (exact case). Of equal names the first counts. */
export type NamedTest = { readonly name: string } & TextTest

/** Exactly one test of the client's IP address; IPv4 inside IPv6 counts as IPv4. */
export type AddressTest =
  | { readonly exact: string }
  /** Addresses and CIDR blocks. */
  | { readonly in: readonly string[] }
  /** Two addresses of one family, both included. */
  | { readonly range: { readonly min: string; readonly max: string } }
  | { readonly exists: boolean }
