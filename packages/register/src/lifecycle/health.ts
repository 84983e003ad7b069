import type { ControlState } from '@laneway/core'
import type { LaneResolver, ResolverHealth } from '@laneway/discovery'
import type { Membership, RegistrationHealth } from './membership.js'

/** The state of Laneway in this process, as plain data that `JSON.stringify` takes. */
export interface RegisterHealth extends ResolverHealth {
  /** `false` when Laneway is switched off: by `LANEWAY_DISABLE=all`, or by a control document. */
  readonly active: boolean
  /** Own lane, `undefined` for base. */
  readonly lane: string | undefined
  /** What `LANEWAY_CONTROL` has made active, and since when; `undefined` without it. */
  readonly control: ControlState | undefined
  /** This instance in the registry. */
  readonly registration: RegistrationHealth
}

const NOTHING: ResolverHealth = { status: 'ok', ready: true, sources: [], services: [], warnings: [] }

/** What a process without Laneway says. */
export const OFF: RegisterHealth = Object.freeze({
  ...NOTHING,
  active: false,
  lane: undefined,
  control: undefined,
  registration: Object.freeze({ state: 'none', service: undefined, address: undefined, error: undefined }),
})

/**
 * Puts together what resolver and registration say. A process that has left the registry is not ready: nobody new should
 * call it. Everything else that goes wrong is a warning.
 */
export function healthOfProcess(
  resolver: LaneResolver | undefined,
  { registration }: Membership,
  lane: string | undefined,
  control: ControlState | undefined,
): RegisterHealth {
  const found = resolver?.health() ?? NOTHING
  const warnings = [...found.warnings]
  const { state, service, error } = registration
  if (control?.problem !== undefined) warnings.push(`the control document is refused: ${control.problem}`)
  if (state === 'failed') warnings.push(`${service} is not registered: ${error}`)
  if (state === 'waiting') warnings.push(`${service} is not registered yet: the registry has not answered`)
  return {
    status: warnings.length === 0 ? 'ok' : 'warning',
    ready: found.ready && state !== 'left',
    active: control?.enabled ?? true,
    lane,
    control,
    registration,
    sources: found.sources,
    services: found.services,
    warnings,
  }
}
