import type { ServiceHealth, SourceHealth } from '@laneway/discovery'
import type { RegisterConfig } from '../config/config.js'
import type { RegisterHealth } from '../lifecycle/health.js'

/** What `LANEWAY_DIAGNOSE=1` prints, in this order. */
export type Diagnosis = Readonly<Record<string, string | readonly string[]>>

/** One line a fact, on standard error, so that a program's own output stays its own. */
export function printDiagnosis(diagnosis: Diagnosis, write: (text: string) => void): void {
  const lines = Object.entries(diagnosis).map(([name, value]) => {
    const text = Array.isArray(value) ? value.join(', ') || 'none' : String(value)
    return `laneway: ${name}: ${text}\n`
  })
  write(lines.join(''))
}

/** How long a diagnosis waits for the registry, and how often it looks. */
const MOST_MS = 3000
const LOOK_MS = 50

/** Calls back once the registry has answered or failed, or after a while; holds no process open. */
export function whenKnown(health: () => RegisterHealth, fn: () => void): void {
  const end = Date.now() + MOST_MS
  const look = () => {
    const { sources, registration } = health()
    const open = sources.some(({ connected }) => connected === undefined) || registration.state === 'waiting'
    if (open && Date.now() < end) setTimeout(look, LOOK_MS).unref()
    else fn()
  }
  setImmediate(look)
}

/** What settings and registry say. Secrets are not among it. */
export function diagnosisOf(config: RegisterConfig, health: RegisterHealth): Diagnosis {
  const { lane, sources, services, registration } = health
  return {
    config: config.file ?? 'environment only',
    'own lane': lane ?? 'base',
    trust: config.trust,
    discovery: sources.map(({ source }) => source),
    registry: sources.map(sourceText),
    ...(config.nacos.length > 0 && {
      login: config.nacosUsername === undefined ? 'none' : `as ${config.nacosUsername}`,
    }),
    service: registrationText(registration),
    services: services.map(serviceText),
  }
}

function sourceText({ source, where, connected, error }: SourceHealth): string {
  const state = connected === undefined ? 'no answer yet' : connected ? 'connected' : `not connected (${error})`
  return `${source}${where === undefined ? '' : ` ${where}`}: ${state}`
}

function registrationText({ state, service, address, error }: RegisterHealth['registration']): string {
  if (state === 'none') return service === undefined ? 'does not register' : `${service}, not registered: no registry`
  if (state === 'registered') return `${service} registered as ${address}`
  return `${service}, ${state}${error === undefined ? '' : `: ${error}`}`
}

function serviceText({ service, state, usable, endpoints, lanes, ageMs }: ServiceHealth): string {
  const age = ageMs === undefined ? '' : `, ${(ageMs / 1000).toFixed(1)} s old`
  return `${service} ${state} (${usable} of ${endpoints} usable, lanes: ${lanes.join(' ') || 'none'}${age})`
}
