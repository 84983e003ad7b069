import { describe } from '@laneway/core/internal'
import { Problems } from '../document/problems.js'

/**
 * Compiles the weights of a rule's `backendRefs`: each backend gets weight / sum of the requests. A missing weight is 1.
 * This is the split of Gateway API, which is drawn for every request; a `split` of rules is sticky to its caller. https://gateway-api.sigs.k8s.io/reference/spec/#backendref
 *
 * @returns a function from a random number (0 <= n < 1) to a position in the list, -1 when every weight is 0
 * @throws LanewayError `LANEWAY_INVALID_RULES`
 */
export function createBackendPick(backends: readonly { readonly weight?: number }[]): (random: number) => number {
  const bounds: number[] = []
  let sum = 0
  const problems = new Problems()
  for (const [index, { weight = 1 }] of backends.entries()) {
    // The bounds of the CRD.
    if (!(Number.isInteger(weight) && weight >= 0 && weight <= 1_000_000)) {
      problems.add(['backendRefs', index, 'weight'], `is 0 to 1000000, received ${describe(weight)}`)
    }
    sum += weight
    bounds.push(sum)
  }
  problems.throwIfAny('HTTPRoute')
  return function pickBackend(random) {
    const point = random * sum
    for (let index = 0; index < bounds.length; index++) if (point < bounds[index]!) return index
    return -1
  }
}
