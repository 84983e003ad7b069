import type { EgressOptions, IngressOptions } from '@laneway/core'
import { type OptionTable, readOptions, unchecked } from '@laneway/core/internal'
import type { EgressResolver } from '@laneway/discovery'

/** Options of `LanewayModule`: those of an ingress, and those of the clients. */
export interface LanewayModuleOptions extends Omit<IngressOptions, 'provisional'>, EgressOptions<EgressResolver> {}

/** {@link LanewayModuleOptions}, each part for its reader. */
export interface LanewaySettings {
  readonly ingress: IngressOptions
  readonly egress: EgressOptions<EgressResolver>
}

const INGRESS = {
  trust: unchecked(),
  formats: unchecked(),
  rules: unchecked(),
  ownLane: unchecked(),
  tag: unchecked(),
  trace: unchecked(),
}
const EGRESS = {
  resolver: unchecked(),
  resolve: unchecked(),
  baggage: unchecked(),
  keepHandSet: unchecked(),
  propagateTo: unchecked(),
  endpointTls: unchecked(),
}
const BOTH = { header: unchecked(), warn: unchecked() }
const OPTIONS = { ...INGRESS, ...EGRESS, ...BOTH } satisfies OptionTable<LanewayModuleOptions>

/**
 * Refuses names that are no option; whoever uses a value checks it.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function splitOptions(input: LanewayModuleOptions = {}): LanewaySettings {
  const options = readOptions('LanewayModule', input, OPTIONS)
  const part = (names: object) =>
    Object.fromEntries(Object.entries(options).filter(([name, value]) => name in names && value !== undefined))
  return { ingress: part({ ...INGRESS, ...BOTH }), egress: part({ ...EGRESS, ...BOTH }) }
}
