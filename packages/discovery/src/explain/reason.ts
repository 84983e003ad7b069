import type { Lane } from '@laneway/core'
import type { LaneTable } from '../table/lane-table.js'
import type { Decision, ExplainedStep } from './explain-decision.js'

/** Lanes and causes that a text lists. */
const MOST_NAMED = 8

/** Why a request goes where it goes, in words. */
export function reasonOf(decision: Decision, table: LaneTable, lane: Lane | undefined): string {
  const { outcome, served, steps, policy } = decision
  const asked = lane === undefined ? 'no lane' : `lane ${lane.header}`
  const base = steps.find(({ tag }) => tag === undefined)
  switch (outcome) {
    case 'base':
      return `the request has ${asked}; ${usableText(base)}${zonesText(base)}`
    case 'lane':
      return `lane ${served} serves; ${usableText(steps.at(-1))}${zonesText(steps.at(-1))}`
    case 'fallback-missing':
      return `there is no instance of ${asked} (${lanesText(table)}), so base serves`
    case 'fallback-unavailable':
      return `${unusableText(steps)}, so base serves`
    case 'overloaded':
      return `${fullText(steps.at(-1))}`
    case 'panic':
      if (isBelowThreshold(steps.at(-1))) {
        return `only ${usableText(steps.at(-1))}, less than panicThreshold; an instance that is enabled serves`
      }
      return `${unusableText(steps)}; an instance that is enabled serves all the same`
    case 'lane-required': {
      const missing = steps.every(({ endpoints }) => endpoints === 0)
      return missing
        ? `there is no instance of ${asked} (${lanesText(table)}), and whenLaneMissing is "${policy?.whenLaneMissing}"`
        : `${unusableText(steps)}, and whenLaneUnavailable is "${policy?.whenLaneUnavailable}"`
    }
    default:
      if (base !== undefined && base.endpoints > 0) return unusableText(steps)
      return table.members.length === 0
        ? 'the service has no instances'
        : `the service has no base instance (${lanesText(table)})`
  }
}

/** The lanes that a service has, with the number of their instances. */
function lanesText({ lanes }: LaneTable): string {
  if (lanes.size === 0) return 'it has no lanes'
  const names = [...lanes].slice(0, MOST_NAMED).map(([tag, { seats }]) => `${tag} (${seats.length})`)
  return `its lanes are ${names.join(', ')}${lanes.size > MOST_NAMED ? `, and ${lanes.size - MOST_NAMED} more` : ''}`
}

function usableText(step: ExplainedStep | undefined): string {
  if (step === undefined) return 'nothing was looked at'
  const warming = step.warming === undefined ? '' : `, ${step.warming} of them still warming up`
  return `${step.usable} of ${step.endpoints} instances are usable${warming}`
}

/** Which zones are preferred. */
function zonesText(step: ExplainedStep | undefined): string {
  if (step?.zones === undefined) return ''
  const served = step.zones.filter(({ share }) => share > 0)
  const shares = served.slice(0, MOST_NAMED).map(({ zone, share }) => {
    return `${Math.round(share * 1000) / 10} % to ${zone === undefined ? 'no zone' : `zone ${zone}`}`
  })
  return `; ${shares.join(', ')}${served.length > MOST_NAMED ? `, and ${served.length - MOST_NAMED} more` : ''}`
}

function isBelowThreshold(step: ExplainedStep | undefined): boolean {
  return step?.verdict === 'panic' && step.usable > 0
}

function fullText(step: ExplainedStep | undefined): string {
  const full = step?.leftOut.full ?? 0
  const others = step === undefined || step.endpoints === full ? '' : `, and the others cannot serve`
  return `${full} ${step?.tag ?? 'base'} instance${full === 1 ? ' has' : 's have'} maxInFlight requests in flight${others}`
}

function unusableText(steps: readonly ExplainedStep[]): string {
  const texts = steps.filter(({ endpoints, usable }) => endpoints > 0 && usable === 0).map(stepText)
  return texts.length === 0 ? 'no instance is usable' : texts.join('; ')
}

function stepText({ tag, endpoints, leftOut }: ExplainedStep): string {
  const causes = Object.entries(WORDS)
    .filter(([cause]) => (leftOut[cause as keyof typeof WORDS] ?? 0) > 0)
    .map(([cause, words]) => `${leftOut[cause as keyof typeof WORDS]} ${words}`)
  const what = `${tag ?? 'base'} instance${endpoints === 1 ? '' : 's'}`
  return `none of ${endpoints} ${what} is usable: ${causes.join(', ')}`
}

const WORDS = {
  disabled: 'disabled',
  weightless: 'of weight 0',
  unhealthy: 'unhealthy',
  ejected: 'ejected after failures',
  tried: 'tried already',
  full: 'full',
} as const satisfies Record<keyof ExplainedStep['leftOut'], string>
