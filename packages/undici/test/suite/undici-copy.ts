import type * as undici7 from 'undici'

/** One of the three generations, seen through the types of undici 7; tests use what all of them have. */
export type UndiciCopy = typeof undici7

/** The copy and its major. */
export interface Copy {
  readonly undici: UndiciCopy
  readonly major: 6 | 7 | 8
}

type Lookup = (host: string, options: { all?: boolean }, callback: (...args: any[]) => void) => void

/** Every name is this machine: third parties are named, never reached. */
export const loopback: Lookup = (_host, options, callback) => {
  if (options.all === true) callback(null, [{ address: '127.0.0.1', family: 4 }])
  else callback(null, '127.0.0.1', 4)
}
