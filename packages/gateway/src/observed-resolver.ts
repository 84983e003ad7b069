import type { Lane } from '@laneway/core'
import type { Choice, ChoiceEnd, LaneResolver } from '@laneway/discovery'

/**
 * A resolver that remembers its last choice, so that a request can say in its log where it went.
 *
 * `@laneway/undici` reports `finished`, or makes a pick that has no endpoint, immediately before it tells a request of its
 * end. What is remembered between the two is the choice of that request, whatever runs beside it; a request that goes on
 * elsewhere reports `started` first. The channel `laneway:decision` says the same at the cost of an object per pick, and
 * not to whom.
 */
export class ObservedResolver implements LaneResolver {
  #last: Choice | undefined
  readonly #resolver: LaneResolver

  constructor(resolver: LaneResolver) {
    this.#resolver = resolver
  }

  /** The choice of the request that is being told of its end; `undefined` when it had none. Read once. */
  take(): Choice | undefined {
    const last = this.#last
    this.#last = undefined
    return last
  }

  match(hostname: string, port: number | undefined, secure: boolean): string | undefined {
    return this.#resolver.match(hostname, port, secure)
  }

  pick(service: string, lane: Lane | undefined, tried?: ReadonlySet<string>): Choice {
    const choice = this.#resolver.pick(service, lane, tried)
    // A request that is not ready waits, and others come in between.
    if (choice.endpoint === undefined && choice.outcome !== 'not-ready') this.#last = choice
    return choice
  }

  started(choice: Choice): void {
    this.#last = undefined
    this.#resolver.started(choice)
  }

  finished(choice: Choice, end: ChoiceEnd): void {
    this.#last = choice
    this.#resolver.finished(choice, end)
  }

  ready(service: string): Promise<void> {
    return this.#resolver.ready(service)
  }

  lookup(service: string): Promise<void> {
    return this.#resolver.lookup(service)
  }

  refusal(...args: Parameters<LaneResolver['refusal']>): ReturnType<LaneResolver['refusal']> {
    return this.#resolver.refusal(...args)
  }

  explain(...args: Parameters<LaneResolver['explain']>): ReturnType<LaneResolver['explain']> {
    return this.#resolver.explain(...args)
  }

  state(service: string): ReturnType<LaneResolver['state']> {
    return this.#resolver.state(service)
  }

  states(): ReturnType<LaneResolver['states']> {
    return this.#resolver.states()
  }

  health(): ReturnType<LaneResolver['health']> {
    return this.#resolver.health()
  }

  onEndpointGone(listener: Parameters<LaneResolver['onEndpointGone']>[0]): () => void {
    return this.#resolver.onEndpointGone(listener)
  }

  close(): Promise<void> {
    return this.#resolver.close()
  }
}
