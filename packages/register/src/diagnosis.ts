import { channels, type DecisionEvent, type EgressEvent, type IngressEvent } from '@laneway/core'

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

/** Prints each decision with its reason, for `LANEWAY_LOG=debug`. */
export function logDecisions(write: (text: string) => void): void {
  channels.ingress.subscribe(message => {
    const { lane, source, problem, stripped, escaped } = message as IngressEvent
    const why = problem ?? (stripped ? 'sender not believed' : (source ?? 'untagged'))
    write(`laneway: in   ${lane?.header ?? '-'} (${why}${escaped ? ', at an instance of a lane' : ''})\n`)
  })
  channels.decision.subscribe(message => {
    const { service, lane, outcome, served, address } = message as DecisionEvent
    write(
      `laneway: pick ${service} for ${lane?.header ?? '-'}: ${outcome}, ${served ?? 'base'} ${address ?? 'nothing'}\n`,
    )
  })
  channels.egress.subscribe(message => {
    const { host, lane, action } = message as EgressEvent
    write(`laneway: out  ${lane?.header ?? '-'} to ${host}: ${action}\n`)
  })
}
