import type { Choice, ChoiceEnd, EgressResolver, LaneResolver } from '@laneway/discovery'

/** A resolver that notes what it is told about the use of endpoints. */
export function recorded(resolver: LaneResolver) {
  const ends: string[] = []
  let inFlight = 0
  const recording: EgressResolver = {
    match: (hostname, port, secure) => resolver.match(hostname, port, secure),
    pick: (service, lane, tried) => resolver.pick(service, lane, tried),
    lookup: service => resolver.lookup(service),
    refusal: (choice, lane, cause) => resolver.refusal(choice, lane, cause),
    onEndpointGone: listener => resolver.onEndpointGone(listener),
    started(choice: Choice) {
      inFlight++
      resolver.started(choice)
    },
    finished(choice: Choice, end: ChoiceEnd) {
      inFlight--
      ends.push(`${choice.served ?? 'base'} ${end}`)
      resolver.finished(choice, end)
    },
  }
  return { resolver: recording, ends, inFlight: () => inFlight }
}
