// Requests through a chain of services, and what each service has to say.

/** A lane that some services have, one that only some Node services have, and none. */
export const LANES = ['gray', 'blue', undefined]

/**
 * The right answer: each service serves with an instance of the lane, else of base, and sees the tag.
 * @param {{ service: string, tag: string, kind: string }[]} instances
 * @param {string[]} chain - names of services; the first is called at its base instance
 * @param {string | undefined} lane
 */
export function rightAnswer(instances, chain, lane) {
  const hops = chain.map((service, at) => {
    const has = instances.some(one => one.service === service && one.tag === lane)
    const name = at > 0 && lane !== undefined && has ? lane : 'base'
    // A service with OpenTelemetry alone passes baggage on, not the header.
    const before = instances.find(one => one.service === chain[at - 1])
    const seen = before?.kind === 'spring-otel' ? '-' : (lane ?? '-')
    return `${service}:${name}[${seen}]`
  })
  return hops.join(' ')
}

/**
 * Sends requests of all lanes, interleaved, some at a time.
 * @param {(lane: string | undefined, number: number) => Promise<string>} call - rejects when the request fails
 * @param {(lane: string | undefined, answer: string) => boolean} isRight
 * @returns counts by lane, and the first faults
 */
export async function load({ perLane, atOnce = 12, call, isRight }) {
  const result = newResult()
  const total = perLane * LANES.length
  let sent = 0
  const worker = async () => {
    while (sent < total) {
      const number = sent++
      // Each three requests are the three lanes, in an order that changes.
      const lane = LANES[((number % 3) + Math.floor(number / 3) * 2) % 3]
      await one(result, lane, () => call(lane, number), isRight)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return result
}

export function newResult() {
  const counts = () => ({ requests: 0, wrong: 0, failed: 0 })
  return { lanes: new Map(LANES.map(lane => [lane, counts()])), faults: [] }
}

/** One request, counted. */
export async function one(result, lane, call, isRight) {
  const counts = result.lanes.get(lane)
  counts.requests++
  let answer
  try {
    answer = await call()
  } catch (error) {
    counts.failed++
    if (result.faults.length < 5) result.faults.push(`${lane}: ${error.message}`)
    return
  }
  if (isRight(lane, answer)) return
  counts.wrong++
  if (result.faults.length < 5) result.faults.push(`${lane}: ${answer}`)
}
