import { describe, LanewayError } from '@laneway/core'

/**
 * Compiles the weights of a rule's `backendRefs`: each gets weight / sum of the requests, none with weight 0, and a
 * missing weight is 1. This is the split of Gateway API, drawn for every request; for one that is sticky to a caller use
 * a `split`. https://gateway-api.sigs.k8s.io/reference/spec/#backendref
 *
 * @returns a function from a random number (0 <= n < 1) to a position in the list, -1 when every weight is 0
 * @throws LanewayError `LANEWAY_INVALID_RULES`
 */
export function createBackendPick(backends: readonly { readonly weight?: number }[]): (random: number) => number {
  const bounds: number[] = []
  let sum = 0
  for (const { weight = 1 } of backends) {
    // the bounds of the CRD
    if (!(Number.isInteger(weight) && weight >= 0 && weight <= 1_000_000)) {
      throw new LanewayError('LANEWAY_INVALID_RULES', `a weight is 0 to 1000000, received ${describe(weight)}`)
    }
    sum += weight
    bounds.push(sum)
  }
  return function pickBackend(random) {
    const point = random * sum
    for (let index = 0; index < bounds.length; index++) if (point < bounds[index]!) return index
    return -1
  }
}
