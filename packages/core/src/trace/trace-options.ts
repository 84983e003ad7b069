import { hostname } from 'node:os'
import { isDisabled } from '../control/disabled.js'
import { flag, type Option, text } from '../options/option.js'
import { type OptionTable, readOptions } from '../options/read-options.js'

/** How an ingress answers requests that ask for their path by `x-laneway-trace`. */
export interface TraceOptions {
  /** How this process names itself in paths. @default LANEWAY_SERVICE, else OTEL_SERVICE_NAME, else the host name */
  name?: string
  /**
   * A sender who is not trusted may ask by `x-laneway-trace: <token>`. Such an answer has no addresses.
   * @default LANEWAY_TRACE_TOKEN, else none
   */
  token?: string
  /**
   * Shows addresses of the inside to senders who are not trusted, and asked by a token or a rule.
   * @default whether LANEWAY_TRACE_ADDRESSES is 1
   */
  addresses?: boolean
}

/** {@link TraceOptions} after the check, with defaults. */
export interface TraceSettings {
  readonly name: string
  readonly token: string | undefined
  readonly addresses: boolean
}

const OPTIONS = {
  name: text(undefined),
  token: text(undefined),
  addresses: flag(undefined),
} satisfies OptionTable<TraceOptions>

/** Reads the option `trace`. @returns `undefined` where requests are not traced */
export const traceOption: Option<TraceSettings | undefined> = (value, place) => {
  if (value === false || isDisabled(['trace'])) return undefined
  const { env } = process
  const { name, token, addresses } = readOptions(place, value === true ? {} : ((value ?? {}) as object), OPTIONS)
  return Object.freeze({
    name: name ?? nameOfProcess(),
    token: token ?? (env['LANEWAY_TRACE_TOKEN'] || undefined),
    addresses: addresses ?? env['LANEWAY_TRACE_ADDRESSES'] === '1',
  })
}

/** The name of a process that was given none. */
export function nameOfProcess({ env } = process): string {
  return env['LANEWAY_SERVICE'] || env['OTEL_SERVICE_NAME'] || hostname()
}
