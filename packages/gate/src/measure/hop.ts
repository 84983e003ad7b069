import { GateError } from '../gate-error.js'

/** A service that the lane crosses. */
export interface Hop {
  /** The name of the service in its metrics. */
  readonly service: string
  /** The Rollout that pauses its release; `undefined` for a service that is not released. */
  readonly rollout: string | undefined
}

// RFC 1123 subdomain, https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/

/**
 * Reads the services that the lane crosses, from the entrance to the last hop: `shop-a=rollout-a,shop-b,shop-c=rollout-c`.
 *
 * @throws GateError `LANEWAY_GATE_INVALID_OPTION`
 */
export function parseHops(text: string): readonly Hop[] {
  const hops = text.split(',').map(part => {
    const [service = '', rollout, more] = part.trim().split('=')
    if (service === '' || more !== undefined || (rollout !== undefined && !NAME.test(rollout))) {
      throw invalid(`a hop is service or service=rollout, received ${JSON.stringify(part)}`)
    }
    return { service, rollout }
  })
  return checkHops(hops)
}

/** @throws GateError `LANEWAY_GATE_INVALID_OPTION` */
export function checkHops(hops: readonly Hop[]): readonly Hop[] {
  const twice = (values: (string | undefined)[]) =>
    values.find((value, index) => value !== undefined && values.indexOf(value) !== index)
  const again = twice(hops.map(hop => hop.service)) ?? twice(hops.map(hop => hop.rollout))
  if (again !== undefined) throw invalid(`${again} is named twice`)
  if (!hops.some(hop => hop.rollout !== undefined))
    throw invalid('no hop has a Rollout, so there is nothing to approve')
  return Object.freeze(hops.map(hop => Object.freeze({ service: hop.service, rollout: hop.rollout })))
}

function invalid(why: string): GateError {
  return new GateError('LANEWAY_GATE_INVALID_OPTION', `hops: ${why}`)
}
