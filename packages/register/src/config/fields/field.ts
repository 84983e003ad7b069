/** How the text of an environment variable is parsed. */
export type FieldKind =
  | 'text'
  /** Never printed; may also be read from the file that `<variable>_FILE` names. */
  | 'secret'
  | 'integer'
  | 'list'
  /** `key=value` pairs, separated by commas. */
  | 'map'
  | 'flag'
  /** A flag, or `mse`. */
  | 'flag-or-mse'
  | 'json'
  | readonly string[]

/** One setting. */
export interface Field {
  readonly variable: string
  readonly kind: FieldKind
  /** For README, schema and help. */
  readonly meaning: string
  /** The default, as text. */
  readonly fallback: string
  /** Of an integer. */
  readonly least?: number
  readonly most?: number
}

/** The longest timer of Node; a longer one fires at once. */
export const MAX_MS = 2 ** 31 - 1

/** The type of a setting in a configuration file. */
export type ValueOf<K extends FieldKind> = K extends 'text' | 'secret'
  ? string
  : K extends 'integer'
    ? number
    : K extends 'list'
      ? readonly string[]
      : K extends 'map'
        ? Readonly<Record<string, string>>
        : K extends 'flag'
          ? boolean
          : K extends 'flag-or-mse'
            ? boolean | 'mse'
            : K extends readonly string[]
              ? K[number]
              : unknown
